/**
 * Ciphers that authenticate what they encrypt, with a key exchange of its own for each connection: those that the CIS
 * Kubernetes Benchmark 1.12.0 lists (1.2.29, 4.2.12) and that etcd 3.4 knows by the same names. TLS 1.3 has no weak ones.
 */
export const cipherSuites: readonly string[] = [
  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
  "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
  "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
];

export const minimumTlsVersion = "VersionTLS12";

/** For the servers of the control plane. */
export const tlsFlags: Readonly<Record<string, string>> = {
  "tls-min-version": minimumTlsVersion,
  "tls-cipher-suites": cipherSuites.join(","),
};
