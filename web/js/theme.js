/* theme.js -- light or dark: as the system has it, unless this browser was told otherwise. */

const NAME = "parley.theme";

export function themeGet() {
    try {
        return localStorage.getItem(NAME) ?? "";
    } catch {
        return "";
    }
}

export function themeApply() {
    document.documentElement.dataset.theme = themeGet();
}

export function themeSet(theme) {
    try {
        localStorage.setItem(NAME, theme);
    } catch {
        /* no storage here: it holds until the page is left */
    }
    document.documentElement.dataset.theme = theme;
}
