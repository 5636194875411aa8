import { PolicyPack } from "@pulumi/policy";
import { policies } from "./policies";
import { toPulumi } from "./frame/pulumi";

new PolicyPack("technova", {
  enforcementLevel: "mandatory",
  policies: policies.map((policy) => toPulumi(policy)),
});

// The engine ends the pack when it ends. An engine that is killed cannot; then the pack's parent is another process.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && process.exit(), 1000).unref();
