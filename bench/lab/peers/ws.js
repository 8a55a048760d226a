// ws.js -- a chat server as it is usually begun with the package ws: a set of sockets per path, a send for each.
//   node ws.js PORT
const { WebSocketServer } = require('ws');
const rooms = new Map();
const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]), perMessageDeflate: false, backlog: 4096 });

server.on('connection', (socket, request) => {
    if (!rooms.has(request.url)) rooms.set(request.url, new Set());
    const members = rooms.get(request.url);
    members.add(socket);
    socket.on('close', () => members.delete(socket));
    socket.on('error', () => socket.terminate());
    socket.on('message', (data) => {
        for (const member of members) member.send(data, { binary: false });
    });
});
