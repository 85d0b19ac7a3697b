const UUID_BYTES = 16;

/** Writes a request in Kafka's big-endian primitives: https://kafka.apache.org/protocol#protocol_types. Grows as needed. */
export class Packet {
  #bytes: Buffer;
  #at = 0;

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  int8(value: number): this {
    this.#at = this.#room(1).writeInt8(value, this.#at);
    return this;
  }

  int16(value: number): this {
    this.#at = this.#room(2).writeInt16BE(value, this.#at);
    return this;
  }

  int32(value: number): this {
    this.#at = this.#room(4).writeInt32BE(value, this.#at);
    return this;
  }

  int64(value: bigint): this {
    this.#at = this.#room(8).writeBigInt64BE(value, this.#at);
    return this;
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const length = Buffer.byteLength(value);
    this.int16(length);
    this.#at += this.#room(length).write(value, this.#at);
    return this;
  }

  /** Without a sign, seven bits a byte, the lowest first. */
  uvarint(value: number): this {
    let rest = value;
    for (; rest >= 0x80; rest >>>= 7) this.#byte((rest & 0x7f) | 0x80);
    return this.#byte(rest);
  }

  /** A string of a flexible version (KIP-482). */
  compactString(value: string): this {
    const length = Buffer.byteLength(value);
    this.uvarint(length + 1);
    this.#at += this.#room(length).write(value, this.#at);
    return this;
  }

  /** How many elements an array of a flexible version has; they follow. null: there is no array. */
  compactCount(count: number | null): this {
    return this.uvarint(count === null ? 0 : count + 1);
  }

  /** @param id as Kafka prints it: 16 bytes in Base64 */
  uuid(id: string): this {
    this.#room(UUID_BYTES).fill(0, this.#at, this.#at + UUID_BYTES);
    this.#bytes.write(id, this.#at, UUID_BYTES, 'base64url');
    this.#at += UUID_BYTES;
    return this;
  }

  /** The tagged fields of a flexible version (KIP-482): none. */
  tags(): this {
    return this.int8(0);
  }

  /** What has been written so far. */
  get buffer(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  #byte(value: number): this {
    this.#at = this.#room(1).writeUInt8(value, this.#at);
    return this;
  }

  #room(size: number): Buffer {
    if (this.#at + size > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + size));
      this.#bytes.copy(larger, 0, 0, this.#at);
      this.#bytes = larger;
    }
    return this.#bytes;
  }
}

/** Reads a response in Kafka's big-endian primitives. */
export class Unpacker {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#at++);
  }

  int16(): number {
    const value = this.#bytes.readInt16BE(this.#at);
    this.#at += 2;
    return value;
  }

  int32(): number {
    const value = this.#bytes.readInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  int64(): bigint {
    const value = this.#bytes.readBigInt64BE(this.#at);
    this.#at += 8;
    return value;
  }

  string(): string {
    const length = this.int16();
    this.#at += Math.max(length, 0);
    return length < 0 ? '' : this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  /** A view, not a copy. */
  bytes(): Buffer {
    const length = Math.max(this.int32(), 0);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Of a flexible version (KIP-482); an absent one is empty. */
  compactString(): string {
    const length = this.#compactLength();
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  /** Of a flexible version; a view, not a copy. */
  compactBytes(): Buffer {
    const length = this.#compactLength();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** As Kafka prints it: 16 bytes in Base64. */
  uuid(): string {
    this.#at += UUID_BYTES;
    return this.#bytes.toString('base64url', this.#at - UUID_BYTES, this.#at);
  }

  /** Without a sign, seven bits a byte, the lowest first. */
  uvarint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes.readUInt8(this.#at++);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  /** Goes past the tagged fields of a flexible version (KIP-482). */
  tags(): void {
    for (let left = this.uvarint(); left > 0; left -= 1) {
      this.uvarint(); // tag
      const size = this.uvarint();
      this.#at += size;
    }
  }

  /** What has not been read. */
  rest(): Buffer {
    return this.#bytes.subarray(this.#at);
  }

  array<T>(read: () => T): T[] {
    const count = this.int32();
    return Array.from({ length: Math.max(count, 0) }, read);
  }

  /** Of a flexible version (KIP-482); an absent one is empty. */
  compactArray<T>(read: () => T): T[] {
    return Array.from({ length: this.#compactLength() }, read);
  }

  /** 0 is absent; all else is one more than the length. */
  #compactLength(): number {
    return Math.max(this.uvarint() - 1, 0);
  }
}
