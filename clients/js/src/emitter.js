/* emitter.js -- things that happen, and who wants to know. */

export class Emitter {
    #listeners = new Map();

    /* fn(detail, ...) at each event of that type; gives a function that ends it. */
    on(type, fn) {
        if (!this.#listeners.has(type)) {
            this.#listeners.set(type, new Set());
        }
        this.#listeners.get(type).add(fn);
        return () => this.#listeners.get(type).delete(fn);
    }

    /* Whoever listens may throw: that is told to the console, and neither stops the others nor us. */
    emit(type, ...details) {
        for (const fn of [...(this.#listeners.get(type) ?? [])]) {
            try {
                fn(...details);
            } catch (error) {
                console.error(error);
            }
        }
    }
}
