/* api.js -- the administrator's part of the server's API; client/ is clients/js, copied beside these pages by the build. */
import { Api } from "../client/api.js";

const api = new Api();

export const get = (path) => api.call("GET", `/api/admin/${path}`);
export const post = (path, body) => api.call("POST", `/api/admin/${path}`, body);
export const del = (path) => api.call("DELETE", `/api/admin/${path}`);
export const login = (email, password) => api.call("POST", "/api/auth/login/", { email, password });
export const logout = () => api.call("POST", "/api/auth/logout/");
