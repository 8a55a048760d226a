/* forms.js -- forms that say what is wrong where it is wrong. */
import { textsOf } from "../client/index.js";
import { element } from "./dom.js";

let faults = 0;

function faultClear(field) {
    field.removeAttribute("aria-invalid");
    if (field.dataset.fault) {
        document.getElementById(field.dataset.fault)?.remove();
        field.removeAttribute("aria-describedby");
        delete field.dataset.fault;
    }
}

function faultShow(field, text) {
    const id = `fault${++faults}`;

    faultClear(field);
    field.dataset.fault = id;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", id);
    field.closest("label").after(element("p", { class: "error", id }, text));
}

export function note(root, text, isError = false) {
    const place = root.querySelector("[data-note]") ?? root.closest("dialog, main").querySelector("[data-note]");

    place.textContent = text;
    place.classList.toggle("error", isError);
}

/* Shows an ApiError in the form: each field's texts below the field, all others above. */
export function showError(form, error) {
    const rest = [];
    let first = null;

    for (const [name, value] of Object.entries(error.fields ?? {})) {
        const field = form.elements?.namedItem(name);

        if (field instanceof Element) {
            faultShow(field, textsOf(value).join(" "));
            first ??= field;
        } else {
            rest.push(...textsOf(value));
        }
    }
    note(form, first || rest.length > 0 ? rest.join(" ") : error.message, true);
    first?.focus();
}

export function clearErrors(form) {
    note(form, "");
    [...form.elements].forEach(faultClear);
}

export function valuesOf(form) {
    return Object.fromEntries(new FormData(form));
}

/* submit(values) runs once at a time; what it throws is shown. */
export function whenSubmitted(form, submit) {
    let isBusy = false;

    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        if (isBusy) {
            return;
        }
        isBusy = true;
        form.setAttribute("aria-busy", "true");
        clearErrors(form);
        try {
            await submit(valuesOf(form));
        } catch (error) {
            showError(form, error);
        } finally {
            isBusy = false;
            form.removeAttribute("aria-busy");
        }
    });
}
