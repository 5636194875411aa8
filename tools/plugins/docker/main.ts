import { version } from "@pulumi/docker/package.json";
import { serveProvider } from "../rpc";
import { dockerProvider } from "./provider";

void serveProvider(dockerProvider(version));
