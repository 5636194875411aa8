import { randomBytes, randomUUID } from "node:crypto";
import { KEEPERS } from "./keepers";
import { type Kind } from "../rpc/kind";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function uuidKind(make: () => string): Kind {
  return {
    fields: KEEPERS,
    computed: ["result"],
    secrets: [],
    generate: () => {
      const result = make();
      return { id: result, outputs: { result } };
    },
    adopt: (importId) => {
      const result = importId.toLowerCase();
      if (!UUID.test(result)) throw new Error(`"${importId}" is not a UUID`);
      return { id: result, values: {}, outputs: { result } };
    },
  };
}

/** Version 7 of RFC 9562: 48 bits of milliseconds since 1970, then random bits. */
export function uuid7(now = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export const randomUuid = uuidKind(() => randomUUID());
export const randomUuid7 = uuidKind(() => uuid7());
