import { z } from "zod";
import { listOf, section } from "./field";
import { flag, resources, wholeNumber, word } from "./values";

const takes = 'a list of namespaces such as ["inventory"], not empty';

/** `technova:sealedSecrets`: Secrets that lie encrypted in the checkout, and that only the cluster can open. */
export const sealedSecretsSchema = section({
  enabled: flag().default(true),
  /** Where Secrets are made of them; the controller has no rights on Secrets elsewhere. */
  namespaces: listOf(takes, word("inventory", "gateway", "monitoring", "backup"))
    .min(1, { error: takes })
    .default(["inventory"]),
  /** How long a key is sealed with until there is another. Earlier keys stay, and open what they have sealed. */
  keyRenewalDays: wholeNumber(1, 365).default(30),
  resources: resources().default({
    requests: { cpu: "20m", memory: "64Mi" },
    limits: { cpu: "1", memory: "256Mi" },
  }),
});

export type SealedSecretsSettings = z.infer<typeof sealedSecretsSchema>;
