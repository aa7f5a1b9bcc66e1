// CRC-32 of the wire protocol: proves that a rebuilt book or board is the server's.

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

export function crc32(text) {
  let c = 0xffffffff;
  for (let i = 0; i < text.length; i += 1) c = TABLE[(c ^ text.charCodeAt(i)) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

// The value as the server writes it: shortest form, with a point (1 is sent as 1.0).
export function numberText(value) {
  const text = String(value);
  return Number.isInteger(value) && !text.includes("e") ? `${text}.0` : text;
}
