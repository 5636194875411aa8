import * as pulumi from "@pulumi/pulumi";
import { CertRequest } from "@pulumi/tls/certRequest";
import { LocallySignedCert } from "@pulumi/tls/locallySignedCert";
import { PrivateKey } from "@pulumi/tls/privateKey";
import { SelfSignedCert } from "@pulumi/tls/selfSignedCert";

export interface CertificateArgs {
  /** Names that the certificate is valid for; the first is its common name. */
  readonly dnsNames: readonly string[];
  /** Days that it is valid; it is made anew 30 days before its end, by the first update in that time. */
  readonly validityDays: number;
}

/** A server certificate signed by an authority of its own, whose key signs nothing else. */
export class Certificate extends pulumi.ComponentResource {
  /** PEM of the certificate; public. */
  readonly certificate: pulumi.Output<string>;
  /** PEM of its key; secret. */
  readonly privateKey: pulumi.Output<string>;
  /** PEM of the authority's certificate, for those who verify; public. */
  readonly caCertificate: pulumi.Output<string>;

  constructor(name: string, args: CertificateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:addons:Certificate", name, {}, opts);
    const parent = { parent: this };
    const validity = { validityPeriodHours: args.validityDays * 24, earlyRenewalHours: 30 * 24 };
    const key = (role: string) =>
      new PrivateKey(`${name}-${role}`, { algorithm: "ECDSA", ecdsaCurve: "P256" }, parent).privateKeyPem;
    const caKey = key("ca-key");
    const authority = new SelfSignedCert(
      `${name}-ca`,
      {
        privateKeyPem: caKey,
        isCaCertificate: true,
        subject: { commonName: `${name} authority`, organization: "technova" },
        allowedUses: ["cert_signing", "crl_signing"],
        ...validity,
      },
      parent,
    );
    this.privateKey = pulumi.secret(key("key"));
    const request = new CertRequest(
      `${name}-request`,
      {
        privateKeyPem: this.privateKey,
        subject: { commonName: args.dnsNames[0], organization: "technova" },
        dnsNames: [...args.dnsNames],
      },
      parent,
    );
    const signed = new LocallySignedCert(
      `${name}-certificate`,
      {
        certRequestPem: request.certRequestPem,
        caPrivateKeyPem: caKey,
        caCertPem: authority.certPem,
        allowedUses: ["digital_signature", "server_auth"],
        ...validity,
      },
      parent,
    );
    this.certificate = signed.certPem;
    this.caCertificate = authority.certPem;
    this.registerOutputs({ certificate: this.certificate, caCertificate: this.caCertificate });
  }
}
