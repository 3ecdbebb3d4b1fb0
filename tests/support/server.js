// A node server on descriptor 3 that leaves as a good server does: it stops
// accepting, answers everybody it accepted, closes who is idle, ends.
'use strict';

const http = require('http');
const net = require('net');

const PATIENCE_FOR_FIRST = 2000; // ms, for the first request of an accepted connection

const body = (process.env.ANSWER || 'node') + '\n';
const connections = new Map(); // socket -> { served, busy }
let stopping = false;

const server = http.createServer((request, response) => {
  const connection = connections.get(request.socket);
  connection.busy = true;
  response.shouldKeepAlive = response.shouldKeepAlive && !stopping;
  response.on('finish', () => {
    connection.busy = false;
    connection.served += 1;
    if (stopping) request.socket.end();
  });
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.setHeader('X-Pid', process.pid);
  response.end(body);
});

server.on('connection', (socket) => {
  connections.set(socket, { served: 0, busy: false });
  socket.on('close', () => connections.delete(socket));
});

function stop() {
  if (stopping) return;
  stopping = true;
  // Not http's own close(): it also closes accepted connections that have not
  // asked yet, and a client of those would be lost.
  net.Server.prototype.close.call(server, () => process.exit(0));
  for (const [socket, connection] of connections) {
    if (connection.busy) continue;
    if (connection.served > 0) socket.end();
    else setTimeout(giveUp, PATIENCE_FOR_FIRST, socket, connection);
  }
}

// After a stall timers come first: what has arrived meanwhile is read before.
function giveUp(socket, connection) {
  setImmediate(() => {
    if (!connection.busy && connection.served === 0) socket.destroy();
  });
}

process.on('SIGTERM', stop);
process.on('SIGQUIT', stop);
server.listen({ fd: Number(process.env.FD || 3) });
