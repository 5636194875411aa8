import { PolicyPack } from "@pulumi/policy";
import { policies } from "./policies";
import { toPulumi } from "./pulumi";

new PolicyPack("technova", { enforcementLevel: "mandatory", policies: policies.map(toPulumi) });
