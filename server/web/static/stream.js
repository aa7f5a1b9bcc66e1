// One socket to /v1/stream: authenticates, subscribes, resumes, reconnects.
// A channel is given to `open` with a handler; the handler sees snapshots, deltas and events in
// order, without gaps: whatever does not follow the last number is asked for again.

const RETRY_MS = [250, 500, 1000, 2000, 4000, 8000];

export class Stream {
  constructor({ onState, onFrame, token }) {
    this.onState = onState;
    this.onFrame = onFrame;
    this.token = token;
    this.channels = new Map();
    this.failures = 0;
    this.nextId = 1;
    this.pending = new Map();
    this.connect();
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/v1/stream`, "optix.v1.json");
    this.socket.onmessage = (event) => this.receive(JSON.parse(event.data));
    this.socket.onclose = (event) => this.closed(event);
  }

  closed(event) {
    this.pending.clear();
    this.onState("reconnecting", `closed ${event.code}`);
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
    this.failures += 1;
    setTimeout(() => this.connect(), wait * (0.5 + Math.random()));
  }

  send(op, fields, done) {
    const id = this.nextId;
    this.nextId += 1;
    if (done) this.pending.set(id, done);
    this.socket.send(JSON.stringify({ op, id, ...fields }));
  }

  receive(message) {
    if (message.t === "hello") return this.greeted(message);
    if (message.t === "ok" || message.t === "err") {
      const done = this.pending.get(message.re);
      this.pending.delete(message.re);
      if (done) done(message);
      return undefined;
    }
    if (message.t === "drain" || message.t === "gone") return undefined;
    return this.frame(message);
  }

  greeted(hello) {
    this.failures = 0;
    this.epoch = hello.epoch;
    this.onState("live", hello.node, hello.offset);
    if (this.token) this.send("auth", { token: this.token }, () => this.subscribeAll());
    else this.subscribeAll();
  }

  subscribeAll() {
    for (const name of this.channels.keys()) this.subscribe(name);
  }

  subscribe(name) {
    const channel = this.channels.get(name);
    const from = channel.seq === null ? {} : { from: { epoch: channel.epoch, seq: channel.seq } };
    this.send("subscribe", { ch: [{ ch: name, ...from }] }, (answer) => {
      const [row] = answer.ch || [];
      if (!row || row.mode === "refused") return channel.refused?.((row && row.code) || answer.code);
      channel.epoch = row.epoch;
      if (row.mode === "live") channel.seq = row.seq;
      return undefined;
    });
  }

  frame(message) {
    const channel = this.channels.get(message.ch);
    if (!channel) return;
    if (message.t !== "snap" && channel.seq !== null && message.seq !== channel.seq + 1) {
      this.reset(message.ch);
      return;
    }
    channel.seq = message.seq;
    this.onFrame(message);
    if (channel.handle(message) === false) this.reset(message.ch);
  }

  reset(name) {
    const channel = this.channels.get(name);
    channel.seq = null;
    this.send("unsubscribe", { ch: [name] }, () => this.subscribe(name));
  }

  open(name, handle, refused) {
    this.channels.set(name, { handle, refused, seq: null, epoch: null });
    if (this.socket.readyState === WebSocket.OPEN && this.epoch) this.subscribe(name);
  }

  close(name) {
    if (!this.channels.delete(name)) return;
    if (this.socket.readyState === WebSocket.OPEN) this.send("unsubscribe", { ch: [name] });
  }

  identify(token) {
    this.token = token;
    for (const channel of this.channels.values()) channel.seq = null;
    this.failures = 0;
    this.socket.close();
  }
}
