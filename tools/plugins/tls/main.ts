import { version } from "@pulumi/tls/package.json";
import { status } from "@grpc/grpc-js";
import { serveProvider } from "../rpc";
import { RpcError } from "../rpc/errors";
import { kindsProvider } from "../rpc/kinds";
import { withoutSecrets } from "../rpc/values";
import { certRequest, locallySignedCert, selfSignedCert } from "./certificates";
import { getPublicKey, privateKey } from "./keys";

const kinds = {
  "tls:index/certRequest:CertRequest": certRequest,
  "tls:index/locallySignedCert:LocallySignedCert": locallySignedCert,
  "tls:index/privateKey:PrivateKey": privateKey,
  "tls:index/selfSignedCert:SelfSignedCert": selfSignedCert,
};

void serveProvider({
  ...kindsProvider(version, kinds),
  invoke: async ({ token, args }) => {
    if (token === "tls:index/getPublicKey:getPublicKey")
      return { result: getPublicKey(withoutSecrets(args)) };
    throw new RpcError(
      status.UNIMPLEMENTED,
      `${token} needs the official plugin: pulumi plugin install resource tls ${version}`,
    );
  },
});
