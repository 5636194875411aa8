import type { Kind } from "../rpc/kind";
import { randomPassword, randomString } from "./characters";
import { randomPet, randomShuffle } from "./choices";
import { randomUuid, randomUuid7 } from "./identifiers";
import { randomBytesKind, randomId, randomInteger } from "./numbers";

/** Random values that are made once and kept in state, until an argument or a keeper changes. */
export const RANDOM_KINDS: Readonly<Record<string, Kind>> = {
  "random:index/randomBytes:RandomBytes": randomBytesKind,
  "random:index/randomId:RandomId": randomId,
  "random:index/randomInteger:RandomInteger": randomInteger,
  "random:index/randomPassword:RandomPassword": randomPassword,
  "random:index/randomPet:RandomPet": randomPet,
  "random:index/randomShuffle:RandomShuffle": randomShuffle,
  "random:index/randomString:RandomString": randomString,
  "random:index/randomUuid4:RandomUuid4": randomUuid,
  "random:index/randomUuid7:RandomUuid7": randomUuid7,
  "random:index/randomUuid:RandomUuid": randomUuid,
};
