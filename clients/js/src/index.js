/* index.js -- what the client offers. */
export { Api, ApiError, textsOf } from "./api.js";
export { backoffMs } from "./backoff.js";
export { Client } from "./client.js";
export { Timeline } from "./timeline.js";
