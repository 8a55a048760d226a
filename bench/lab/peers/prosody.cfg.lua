-- prosody: rooms over WebSockets, every client an anonymous user; with the archive, every message is a row of SQLite
run_as_root = true -- if it is started so: else it would become another user, who may not read this folder
pidfile = "@DIR@/prosody.pid"
data_path = "@DIR@/data"
certificates = "@DIR@"
log = { error = "@DIR@/prosody.log" }
modules_enabled = { "saslauth", "websocket" }
modules_disabled = { "s2s", "offline" }
http_ports = { @PORT@ }
http_interfaces = { "127.0.0.1" }
https_ports = {}
c2s_ports = {}
consider_websocket_secure = true
default_storage = "memory"
storage = { muc_log = "sql" }
sql = { driver = "SQLite3", database = "@DIR@/prosody.db" }

VirtualHost "localhost"
    authentication = "anonymous"

Component "conference.localhost" "muc"
    modules_enabled = { @ARCHIVE@ }
    muc_log_by_default = true
    muc_log_expires_after = "never"
    muc_room_cache_size = 10000
    muc_room_locking = false
    muc_room_default_history_length = 0
    muc_room_default_presence_broadcast = { visitor = false, participant = false, moderator = false }
