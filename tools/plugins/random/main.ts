import { version } from "@pulumi/random/package.json";
import { serveProvider } from "../rpc";
import { kindsProvider } from "../rpc/kinds";
import { RANDOM_KINDS } from "./kinds";

void serveProvider(kindsProvider(version, RANDOM_KINDS));
