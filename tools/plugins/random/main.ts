import { version } from "@pulumi/random/package.json";
import { serveProvider } from "../rpc";
import { randomProvider } from "./provider";

void serveProvider(randomProvider(version));
