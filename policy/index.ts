import { PolicyPack } from "@pulumi/policy";
import { Exceptions } from "./frame/exceptions";
import entries from "./exceptions.json";
import { packOf } from "./policies";
import { readRequestsLazily } from "./frame/requests";
import { recorder, type Run } from "./frame/run";
import { toPulumi } from "./frame/pulumi";

const run: Run = {
  // The engine says so to every pack that it starts; a language host passes it on under its own name.
  updating: (process.env.PULUMI_DRY_RUN ?? process.env.PULUMI_NODEJS_DRY_RUN) === "false",
  exceptions: new Exceptions(entries, new Date().toISOString().slice(0, 10)),
  undecidedBlocks: false,
  record: recorder(process.env.TECHNOVA_POLICY_FINDINGS),
};

readRequestsLazily();
new PolicyPack("technova", {
  enforcementLevel: "mandatory",
  policies: packOf(run).map((policy) => toPulumi(policy, run)),
});

// The engine ends the pack when it ends. An engine that is killed cannot; then the pack's parent is another process.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && process.exit(), 1000).unref();
