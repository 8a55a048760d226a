/* api.js -- the server, as a page of its own site: the session's cookie says who asks. */
import { Api } from "../client/index.js";

export const api = new Api();
