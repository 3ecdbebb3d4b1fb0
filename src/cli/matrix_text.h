/* The cells of a matrix for a person's eyes, and for the tests: tables by families
 * and addresses, those that are alike printed once. */
#ifndef HOLDPORT_CLI_MATRIX_TEXT_H
#define HOLDPORT_CLI_MATRIX_TEXT_H

#include "base/str.h"
#include "matrix/matrix.h"

void matrix_text(const struct matrix *m, struct str *out);

#endif
