import { expect } from "chai";
import { Platform } from "./delivery/platform";
import { accountsAreBounded } from "./security/access";
import { auditEdit, changesAreFound, updatesAreFound } from "./security/audit";
import { secretsAreEncrypted } from "./security/encryption";
import { accessSettings, peopleAreLetInAndTurnedAway, peopleHaveTheirRoles } from "./security/people";
import { lateComersWait, platformWorks, trafficIsWhatTheTableSays } from "./security/traffic";
import { podSecurityDenies, policiesDenyAndAdmit, theyAgree } from "./security/admission";
import { controlsHold } from "./security/report";
import { eventsArrive, othersAreRefused, runtimeSettings } from "./security/runtime";
import { sealedSecretsAreOpened, sealingEdit } from "./security/sealed";
import { npmOk } from "./support/command";
import { release } from "./support/releases";
import { withSettings } from "./support/settings";

/** Who may do what, and what may run, asked of the real API server. */
describe("security", function () {
  this.timeout("20m");

  const edits = [
    [/( +)(appArmor: false\n)/, `$1$2$1${accessSettings}\n`],
    [/( +)(technova:registry:)/, `$1technova:falco: ${runtimeSettings}\n$1$2`],
    auditEdit,
    sealingEdit,
  ] as const;
  const update = () => release({ version: "1.0.0", edits });

  before(async () => {
    await npmOk("cluster", "up");
    const { code, output } = await update();
    expect(code, output).to.equal(0);
  });
  after(() => Platform.takeDown());

  it("no account of a Pod reads Secrets or gets itself more rights, but as listed", () =>
    accountsAreBounded());

  it("groups have the roles that the settings give them, in the platform's namespaces only", () =>
    peopleHaveTheirRoles());

  it("viewers, operators and admins are let in and turned away by what they type", () =>
    peopleAreLetInAndTurnedAway());

  it("each admission policy denies what breaks it and admits what does not", () => policiesDenyAndAdmit());

  it("Pod Security denies in the platform's namespaces", () => podSecurityDenies());

  it("the pack, the admission policies and Pod Security agree on 200 variants of a good Pod", () =>
    theyAgree());

  it("Secrets are encrypted before they reach etcd", () => secretsAreEncrypted());

  it("a change with kubectl is found in the audit trail within a minute", () => changesAreFound());

  it("so is an up", () => updatesAreFound());

  it("connections come about where the table of flows says so, and nowhere else", () =>
    trafficIsWhatTheTableSays());

  it("a Pod that comes while rules are written waits for the next ones", () => lateComersWait());

  it("everything is ready, measured and read by Prometheus all the same", () => platformWorks());

  it("an event of every rule is an alert in Alertmanager and a line in Loki, without secrets", () =>
    eventsArrive());

  it("a sealed value is a Secret under its own name alone, also after the keys were lost and restored", () =>
    sealedSecretsAreOpened(update));

  it("each defence holds by the report, and the one that is taken away fails", () =>
    withSettings("local", edits, () => controlsHold()));

  it("what is no event of Falco's is refused", () => othersAreRefused());
});
