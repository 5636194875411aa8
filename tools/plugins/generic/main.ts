import { serveProvider } from "../rpc";
import { genericProvider } from "./provider";

const [packageName = "", version = ""] = process.argv.slice(2);

void serveProvider(genericProvider(packageName, version));
