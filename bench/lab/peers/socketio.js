// socketio.js -- a chat server as it is usually begun with socket.io: its rooms, its emit.
//   node socketio.js PORT
const http = require('http');
const { Server } = require('socket.io');
const server = http.createServer();
// The load answers no pings.
const io = new Server(server, { serveClient: false, transports: ['websocket'], pingInterval: 3600000 });

io.on('connection', (socket) => {
    socket.on('join', (room) => {
        socket.join(room);
        socket.emit('joined', room);
    });
    socket.on('say', (room, text) => io.to(room).emit('said', text));
});
server.listen({ host: '127.0.0.1', port: Number(process.argv[2]), backlog: 4096 });
