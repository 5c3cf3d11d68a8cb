// Socket.IO with its Redis adapter, doing the least that a chat needs: a socket joins its session's room,
// and what is sent into a session goes to everybody in it, on every server. Nothing is stored.
// Two of them on one Redis, on different PORTs, are a side of `fanout`.
import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import Redis from 'ioredis';
import { Server } from 'socket.io';

const { VALKEY_URL, PORT = '3200' } = process.env;
const publisher = new Redis(VALKEY_URL);
const http = createServer((_request, response) => response.end('{"status":"ok"}'));
const io = new Server(http, {
  adapter: createAdapter(publisher, publisher.duplicate()),
  // What an idle socket costs is compared, not how long polling is.
  transports: ['websocket'],
  serveClient: false,
  // The ping interval that the other sides have.
  pingInterval: 25_000,
});

io.on('connection', (socket) => {
  socket.join(socket.handshake.auth.room);
  socket.on('send', ({ session_id, body }) => io.to(session_id).emit('message', { session_id, body }));
});

http.listen(Number(PORT), '127.0.0.1');
