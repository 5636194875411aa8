import { serveProvider } from "../rpc";
import { kubernetesProvider } from "./provider";

void serveProvider(kubernetesProvider());
