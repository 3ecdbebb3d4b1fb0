/* org.varlink.service: what can be asked here. */
#include <string.h>

#include "control/control.h"

/* The interface in its own words, as GetInterfaceDescription answers it. */
static const char interface_text[] =
#include "io.holdport.varlink.inc"
	;

void describe_service(struct call *c, json_t *parameters)
{
	(void)parameters;
	call_reply(c, json_pack("{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor", "holdport",
				"product", "holdport", "version", HOLDPORT_VERSION,
				"url", "", "interfaces",
				"org.varlink.service", "io.holdport"));
}

static const char service_text[] =
	"interface org.varlink.service\n"
	"method GetInfo() -> (vendor: string, product: string, version: string, url: string, "
	"interfaces: []string)\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n"
	"error InterfaceNotFound (interface: string)\n"
	"error MethodNotFound (method: string)\n"
	"error MethodNotImplemented (method: string)\n"
	"error InvalidParameter (parameter: string)\n";

void describe_interface(struct call *c, json_t *parameters)
{
	const char *name = json_string_value(json_object_get(parameters, "interface"));
	const char *text = NULL;

	if (name && strcmp(name, "io.holdport") == 0)
		text = interface_text;
	else if (name && strcmp(name, "org.varlink.service") == 0)
		text = service_text;
	if (text)
		call_reply(c, json_pack("{s:s}", "description", text));
	else
		call_error(c, "org.varlink.service.InterfaceNotFound",
			   json_pack("{s:s?}", "interface", name));
}
