/* Types of the client.  What each thing does is told in README.md and in the modules themselves. */

export interface Person { id: string; username: string; email?: string; first_name: string; last_name: string }
export interface User { id: string; username: string }
export interface Profile extends Person { is_verified: boolean; date_joined: string }

export interface RoomData {
    id: string; name: string; creator: Person; participants: Person[]; created_at: string; updated_at: string;
    last_seq: number; epoch: string; read_seq: number; unread: number;
}

export interface Message {
    id: string; room: string; sender: Omit<Person, "email">; content: string; created_at: string; seq: number;
    client_msg_id?: string; reply_to?: string; mentions?: User[]; edited_at?: string; reactions?: Reaction[];
}

export interface Reaction { emoji: string; count: number; own: boolean }

/** What somebody is: `online` if any of his sockets says so, else `away`. */
export type Presence = "online" | "away" | "offline";

/** A page of a list; `next` is null on its last one. */
export interface Page<T> { results: T[]; next: string | null; previous?: string | null; count?: number }

/** A place in a room's log. */
export interface Place { epoch: string; seq: number }

/** An event of a room's log: `chat_message`, `message_deleted`, `member_added`, ...; with the fields of its type. */
export interface LogEvent extends Place {
    type: string; room: string; at: string;
    /** Read over REST after a resync: it does not move the room's place. */
    recovered?: true;
    [field: string]: unknown;
}

export class ApiError extends Error {
    /** 0: the server could not be reached. */
    readonly status: number;
    readonly code: string | null;
    readonly fields: Record<string, string[] | Record<string, string[]>>;
    /** Seconds; 0: the server says none. */
    readonly retryAfter: number;
    /** The server could not be reached, or is not itself: the same may work later. */
    readonly isAway: boolean;
}

export interface ApiOptions {
    url?: string;
    token?: string | null;
    fetch?: typeof fetch | null;
    onUnauthorized?: () => void;
}

export class Api {
    constructor(options?: ApiOptions);
    url: string;
    token: string | null;
    onUnauthorized: () => void;
    call<T = unknown>(method: string, path: string, body?: unknown): Promise<T>;
    get<T = unknown>(path: string): Promise<T>;
    post<T = unknown>(path: string, body?: unknown): Promise<T>;
    put<T = unknown>(path: string, body: unknown): Promise<T>;
    delete(path: string): Promise<null>;
    all<T = unknown>(path: string): Promise<T[]>;
    walk<T = unknown>(path: string): Promise<T[]>;
    login(email: string, password: string): Promise<{ token: string; user: Profile }>;
    logout(): Promise<null>;
    profile(): Promise<Profile>;
    ticket(): Promise<string>;
    rooms(): Promise<RoomData[]>;
    room(id: string): Promise<RoomData>;
    createRoom(name: string, emails?: string[]): Promise<RoomData>;
    renameRoom(id: string, name: string): Promise<RoomData>;
    deleteRoom(id: string): Promise<null>;
    addMember(id: string, email: string): Promise<RoomData>;
    removeMember(id: string, userId: string): Promise<null>;
    messages(id: string, which?: { before_seq?: number; after_seq?: number; limit?: number }): Promise<Page<Message>>;
    events(id: string, which?: { after_seq?: number; limit?: number }): Promise<Page<LogEvent> & { epoch: string; head: number }>;
    send(id: string, content: string, more?: { client_msg_id?: string }): Promise<Message>;
    reads(id: string, which?: { limit?: number; offset?: number }): Promise<Page<{ user: User; read_seq: number; delivered_seq: number; joined_at: string }>>;
    presence(id: string, which?: { limit?: number; offset?: number }): Promise<Page<{ user: User; status: Presence }>>;
    read(id: string, seq: number): Promise<null>;
    search(q: string, which?: { room?: string; before?: string; limit?: number }): Promise<Page<Message & { highlights: [number, number][] }>>;
    message(id: string): Promise<Message>;
    history(id: string, which?: { limit?: number; offset?: number }): Promise<Page<{ content: string; created_at: string }>>;
    editMessage(id: string, content: string): Promise<Message>;
    deleteMessage(id: string): Promise<null>;
    react(id: string, emoji: string): Promise<null>;
    unreact(id: string, emoji: string): Promise<null>;
}

/** A message that is sent. */
export interface Entry {
    readonly id: string;
    content: string;
    readonly state: "pending" | "acked" | "failed";
    readonly error: { code: string; detail: string; errors?: Record<string, string[]> } | null;
    readonly message: (Place & { id: string }) | null;
    /** Milliseconds as of Date.now(): the server takes it no sooner. */
    readonly retryAt: number;
    /** Stored; or an Error with `code`. */
    readonly done: Promise<Place & { id: string }>;
}

export interface Outbox {
    readonly entries: readonly Entry[];
    find(id: string): Entry | undefined;
    retry(id: string): void;
    discard(id: string): void;
}

export type RoomState = "connecting" | "catching up" | "open" | "waiting" | "over";

export interface RoomEvents {
    event: LogEvent;
    state: { state: RoomState; code?: number };
    resync: Place & { reason: "epoch_changed" | "ahead" | "purged"; from: Place };
    pending: { entry: Entry };
    sent: { entry: Entry };
    failed: { entry: Entry };
    refused: { code: string; detail: string };
    typing: { room: string; user: User };
    read: { room: string; user: User; read_seq: number; delivered_seq: number };
    presence: { room: string; user: User; status: Presence };
    /** Frames of the log by their type, and whatever a newer server tells. */
    [type: string]: any;
}

/** One room, kept connected. */
export interface Room {
    readonly id: string;
    readonly state: RoomState;
    readonly place: Place | null;
    readonly user: User | null;
    readonly outbox: Outbox;
    on<T extends keyof RoomEvents & string>(type: T, fn: (detail: RoomEvents[T]) => void): () => void;
    send(content: string, more?: { client_msg_id?: string; [field: string]: unknown }): Entry;
    typing(): boolean;
    read(seq: number): void;
    leave(): void;
}

export interface ClientOptions extends ApiOptions {
    /** Instead of the options of one. */
    api?: Api | null;
    /** A class like the browser's. */
    WebSocket?: unknown;
    cursors?: { load(roomId: string): Place | null | Promise<Place | null>; save(roomId: string, place: Place): unknown } | null;
    readsResync?: boolean;
}

export class Client {
    constructor(options?: ClientOptions);
    readonly api: Api;
    room(id: string, place?: Place | null): Room;
    on(type: "open", fn: (detail: { user: User }) => void): () => void;
    on(type: "end", fn: (detail: { code: number }) => void): () => void;
    on(type: "room_added", fn: (detail: Place & { room: string; name: string }) => void): () => void;
    on(type: "rooms_left_out", fn: () => void): () => void;
    on(type: "unread", fn: (detail: { room: string; count: number; last_seq: number }) => void): () => void;
    on<T extends keyof RoomEvents & string>(type: T, fn: (detail: RoomEvents[T], room: Room) => void): () => void;
    connect(): void;
    present(status: "online" | "away"): void;
    hurry(): void;
    drop(): void;
    close(): void;
}

export class Timeline {
    constructor(room: Room);
    readonly messages: readonly Message[];
    readonly byId: ReadonlyMap<string, Message>;
    readonly outgoing: readonly Entry[];
    readonly isRead: boolean;
    readonly hasAll: boolean;
    readonly oldest: Message | undefined;
    readonly newest: Message | undefined;
    on(type: "change", fn: () => void): () => void;
    on(type: "message", fn: (message: Message) => void): () => void;
    older(): Promise<void>;
    reach(seq: number): Promise<void>;
    apply(event: { type: string; [field: string]: unknown }): boolean;
    retry(id: string): void;
    discard(id: string): void;
    end(): void;
}

/** Milliseconds until the next try. */
export function backoffMs(tries: number, bounds?: { min_ms: number; max_ms: number }, random?: number): number;
/** The texts of one field of a refused body. */
export function textsOf(value: string[] | Record<string, string[]>): string[];
