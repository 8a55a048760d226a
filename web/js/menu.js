/* menu.js -- what one can do with a message. */
import { dialogOpen } from "./dialogs.js";
import { element } from "./dom.js";

const EMOJIS = [["👍", "Thumbs up"], ["❤️", "Heart"], ["😂", "Laughing"], ["🎉", "Party"], ["😮", "Surprised"], ["😢", "Sad"], ["🙏", "Thanks"], ["👀", "Looking"]];
const GAP_PX = 6;

/* Beside the button, inside the window; a narrow one has it at its lower edge, where thumbs are (chat.css). */
function placeBeside(dialog, button) {
    const to = button.getBoundingClientRect();
    const { width, height } = dialog.getBoundingClientRect();
    const below = to.bottom + GAP_PX + height < innerHeight;

    dialog.style.left = `${Math.max(GAP_PX, Math.min(to.left, innerWidth - width - GAP_PX))}px`;
    dialog.style.top = `${Math.max(GAP_PX, below ? to.bottom + GAP_PX : to.top - height - GAP_PX)}px`;
}

/* on: react(emoji), reply(), edit(), remove(); null: not for this user */
export function messageMenu(button, message, on) {
    const dialog = dialogOpen("message-menu");
    const part = (name) => dialog.querySelector(`[data-${name}]`);
    const own = new Set((message.reactions ?? []).filter((one) => one.own).map((one) => one.emoji));
    const chosen = (fn) => () => {
        dialog.close();
        fn();
    };

    part("emojis").append(...EMOJIS.map(([emoji, name]) => element("button", { type: "button", class: "reaction", title: name, "aria-label": name, "aria-pressed": String(own.has(emoji)),
        onclick: chosen(() => on.react(emoji)) }, emoji)));
    for (const name of ["reply", "edit", "remove"]) {
        part(name).hidden = !on[name];
        part(name).addEventListener("click", chosen(on[name]));
    }
    placeBeside(dialog, button);
}
