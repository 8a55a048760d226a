// bun.js -- a chat server with the WebSockets of Bun, which are uWebSockets: its topics, its publish.
//   bun bun.js PORT
const server = Bun.serve({
    hostname: '127.0.0.1',
    port: Number(process.argv[2]),
    fetch(request, server) {
        if (!server.upgrade(request, { data: new URL(request.url).pathname })) return new Response('', { status: 400 });
    },
    websocket: {
        idleTimeout: 0, // the load says nothing for long
        open(socket) {
            socket.subscribe(socket.data);
        },
        message(socket, text) {
            server.publish(socket.data, text);
        },
    },
});
