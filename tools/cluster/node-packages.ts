import type { PackageSet } from "./packages";

/** The node's own programs: container runtimes, etcd, the registry, and what they call. */
export const nodePackages: PackageSet = {
  name: "node",
  include: [
    ...["containerd", "runc", "containernetworking-plugins", "etcd-server", "docker.io", "docker-registry"],
    ...[
      "iptables",
      "ipset",
      "nftables",
      "iproute2",
      "conntrack",
      "mount",
      "util-linux",
      "coreutils",
      "dash",
      "bash",
    ],
    ...["procps", "findutils", "grep", "sed", "tar", "gzip", "xz-utils", "ca-certificates", "libc-bin"],
  ],
  exclude: [
    "debconf",
    "perl",
    "perl-base",
    "perl-modules-5.36",
    "libperl5.36",
    "adduser",
    "usrmerge",
    "openssl",
  ],
  prune: ["./usr/share/perl*"],
};
