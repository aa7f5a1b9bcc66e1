// State of channels, rebuilt from snapshots and deltas, and proved by checksums.

import { crc32, numberText } from "/static/checksum.js";

const LEVELS = 25;
const falling = (a, b) => Number(b[0]) - Number(a[0]);
const rising = (a, b) => Number(a[0]) - Number(b[0]);

class Rows {
  constructor() { this.rows = new Map(); this.checks = 0; }
  put(rows, gone) {
    for (const row of rows) {
      if (gone(row)) this.rows.delete(row[0]);
      else this.rows.set(row[0], row);
    }
  }
}

export class Marks extends Rows {
  apply({ t, data }) {
    if (t === "snap") this.rows.clear();
    this.put(data.rows, () => false);
    return true;
  }
}

export class PositionBook extends Rows {
  apply({ t, data, crc }) {
    if (t === "snap") this.rows.clear();
    this.put(data.rows, (row) => row[1] === "0" && row[2] === "0");
    return this.agrees(crc);
  }
  sorted() { return [...this.rows.values()].sort(rising); }
  agrees(crc) {
    if (crc === undefined) return true;
    this.checks += 1;
    return crc === crc32(this.sorted().slice(0, LEVELS).map((r) => r.join(":")).join("|"));
  }
}

export class IdeaBook {
  constructor() { this.b = new Rows(); this.s = new Rows(); this.checks = 0; }
  apply({ t, data, crc }) {
    for (const side of ["b", "s"]) {
      if (t === "snap") this[side].rows.clear();
      this[side].put(data[side], (row) => row[1] === "0");
    }
    if (crc === undefined) return true;
    this.checks += 1;
    const best = [...this.sorted("b").slice(0, LEVELS), ...this.sorted("s").slice(0, LEVELS)];
    return crc === crc32(best.map((r) => `${r[0]}:${r[1]}`).join("|"));
  }
  sorted(side) { return [...this[side].rows.values()].sort(side === "b" ? falling : rising); }
}

export class Board extends Rows {
  apply({ t, data, crc }) {
    if (t === "snap") this.rows.clear();
    for (const trader of data.left || []) this.rows.delete(trader);
    this.put(data.rows, () => false);
    this.ranked = data.n;
    if (crc === undefined) return true;
    this.checks += 1;
    return crc === crc32(this.sorted().map((r) => `${r[1]}:${r[0]}:${numberText(r[2])}`).join("|"));
  }
  sorted() { return [...this.rows.values()].sort((a, b) => a[1] - b[1]); }
}
