/* charts.js -- live figures: one small chart each, of the last two minutes, drawn as SVG. */
import { element } from "./dom.js";

const KEPT = 120; /* frames, one a second */
const WIDTH = 240;
const HEIGHT = 60;
const SVG = "http://www.w3.org/2000/svg";

function shape(name, attributes) {
    const made = document.createElementNS(SVG, name);

    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    return made;
}

/* A level as it is, a counter as a rate, the lag as a mean: from two frames that follow each other. */
const level = (name) => (now) => now.values[name] ?? 0;
const rate = (name) => (now, before) => (before ? Math.max(0, (now.values[name] - before.values[name]) / ((now.at - before.at) / 1000)) : 0);

function meanLag(now, before) {
    const n = before ? now.values.lag_n - before.values.lag_n : 0;

    return n > 0 ? (now.values.lag_us - before.values.lag_us) / n / 1000 : 0;
}

const FIGURES = [
    ["Open sockets", "", level("sockets")],
    ["Rooms with sockets", "", level("rooms")],
    ["Messages stored", "/s", rate("messages")],
    ["Sent to sockets", "/s", rate("sent")],
    ["HTTP requests", "/s", rate("requests")],
    ["Lateness of the event loop", "ms", meanLag],
    ["Connections", "", level("connections")],
    ["Messages to be stored", "", level("message_queue")],
    ["Transactions under way", "", level("database_queue")],
    ["Passwords to be hashed", "", level("password_queue")],
    ["Jobs without a thread yet", "", level("pool_queue")],
    ["Mails to be sent", "", level("mail_queue")],
    ["Unread by clients", "KiB", (now) => now.values.unread_bytes / 1024],
];

function numberText(value) {
    return value.toLocaleString(undefined, { maximumFractionDigits: value < 10 ? 1 : 0 });
}

/* The newest value is at the right edge. */
function draw(svg, values) {
    const top = Math.max(...values, 1);
    const x = (i) => WIDTH - ((values.length - 1 - i) * WIDTH) / (KEPT - 1);
    const y = (value) => HEIGHT - 2 - (value / top) * (HEIGHT - 6);
    const line = values.map((value, i) => `${i === 0 ? "M" : "L"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join("");

    svg.querySelector(".line").setAttribute("d", line);
    svg.querySelector(".area").setAttribute("d", `${line}L${WIDTH} ${HEIGHT}L${x(0).toFixed(1)} ${HEIGHT}Z`);
    return top;
}

function chart([title, unit, measure]) {
    const values = [];
    const number = element("span", {}, "–");
    const most = element("span", {});
    const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });

    svg.append(shape("path", { class: "area" }), shape("line", { class: "ground", x1: 0, x2: WIDTH, y1: HEIGHT - 1, y2: HEIGHT - 1 }), shape("path", { class: "line" }));
    const root = element("div", { class: "figure" }, element("h2", {}, title), element("p", {}, number, unit ? element("small", {}, ` ${unit}`) : null), svg,
        element("div", { class: "span" }, element("span", {}, "2 min ago"), most, element("span", {}, "now")));

    return {
        root,
        add(now, before) {
            values.push(measure(now, before));
            values.splice(0, values.length - KEPT);
            number.textContent = numberText(values.at(-1));
            draw(svg, values);
            most.textContent = `at most ${numberText(Math.max(...values))}`;
        },
    };
}

/* The figures as an element; onEnd: the server ended it with this code. */
export function figuresView(onEnd) {
    const charts = FIGURES.map(chart);
    const note = element("p", { class: "notice", role: "status", hidden: true }, "No connection to the server; trying again.");
    const root = element("div", {}, note, element("div", { class: "figures" }, charts.map((one) => one.root)));
    let before = null;
    let wait = 1000;

    function open() {
        const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/admin/`);

        socket.addEventListener("message", (event) => {
            const frame = JSON.parse(event.data);

            if (!root.isConnected) {
                socket.close();
                return;
            }
            if (frame.type !== "figures") {
                return;
            }
            const now = { at: Date.parse(frame.at), values: frame.values };

            charts.forEach((one) => one.add(now, before));
            before = now;
            wait = 1000;
            note.hidden = true;
        });
        socket.addEventListener("close", (event) => {
            if (!root.isConnected) {
                return;
            }
            if (event.code === 4401 || event.code === 4403) {
                onEnd();
                return;
            }
            before = null; /* perhaps another node, whose counters are others */
            note.hidden = false;
            setTimeout(() => root.isConnected && open(), wait);
            wait = Math.min(wait * 2, 30000);
        });
        return socket;
    }

    const socket = open();

    root.addEventListener("leave", () => socket.close());
    return root;
}
