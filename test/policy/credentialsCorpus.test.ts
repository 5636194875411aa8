import { createHash } from "node:crypto";
import { expect } from "chai";
import { changed, goodPod, outcome, podTypes } from "../support/policy";
import { noPlainSecretsInArguments, noPlainSecretsInEnv, noSecretsInConfigMaps } from "../../policy/secrets";

/**
 * Credentials of many kinds and texts that resemble them. The credentials are made here, for no scanner is to find any
 * in this file: their alphabets and lengths are those that their issuers document.
 */

const alphabet = {
  hex: "0123456789abcdef",
  lower: "abcdefghijklmnopqrstuvwxyz0123456789",
  upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
  mixed: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
};

let texts = 0;

/** Another text each time, and the same ones in every run; of mixed with a character of each kind. */
function made(kind: keyof typeof alphabet, length: number): string {
  const letters = alphabet[kind];
  let text = "";
  while (text.length < length) {
    const bytes = createHash("sha512").update(String(texts++)).digest();
    text += [...bytes].map((byte) => letters[byte % letters.length]).join("");
  }
  return (kind === "mixed" ? `aZ7${text.slice(3)}` : text).slice(0, length);
}

const base64 = (text: string) => Buffer.from(text).toString("base64");
const dashes = "-".repeat(5);
const privateKey = (type: string) =>
  `${dashes}BEGIN ${type} KEY${dashes}\n${made("mixed", 64)}\n${dashes}END ${type} KEY${dashes}`;

/** Each by what it is, with the name that it stands under. */
const planted: readonly (readonly [what: string, name: string, value: string])[] = [
  ["a password by its name", "DB_PASSWORD", "hunter2"],
  ["a pass phrase of words", "PASSPHRASE", "correct horse battery staple"],
  ["an API key by its name", "apiKey", made("hex", 32)],
  ["a token by its name", "SERVICE_TOKEN", made("lower", 20)],
  ["a client secret by its name", "OAUTH_CLIENT_SECRET", made("mixed", 24)],
  ["an AWS secret key by its name", "AWS_SECRET_ACCESS_KEY", made("mixed", 40)],
  ["an encryption key by its name", "ENCRYPTION_KEY", made("hex", 64)],
  ["a private RSA key", "TLS", privateKey("RSA PRIVATE")],
  ["a private EC key", "SIGNER", privateKey("EC PRIVATE")],
  ["a private key in OpenSSH's format", "DEPLOY", privateKey("OPENSSH PRIVATE")],
  ["a private key in base64", "CERT_DATA", base64(privateKey("PRIVATE"))],
  ["an age key", "SOPS", `AGE-SECRET-${"KEY"}-1${made("upper", 58)}`],
  ["a URL with a password", "BACKEND", "postgresql://inventory:s3cr3t@db:5432/inventory"],
  ["a URL with a password and no user", "CACHE", "redis://:s3cr3t@cache:6379/0"],
  ["a data source of Go's MySQL driver", "SOURCE", "inventory:s3cr3t@tcp(db:3306)/inventory"],
  ["a JDBC URL", "SOURCE", "jdbc:postgresql://db/inventory?user=inventory&password=s3cr3t"],
  ["a connection string of libpq", "SOURCE", "host=db user=inventory password=s3cr3t dbname=inventory"],
  ["a connection string of SQL Server", "SOURCE", "Server=db;Database=x;User Id=sa;Password=Str0ng!one;"],
  [
    "an Azure storage account",
    "STORAGE",
    `DefaultEndpointsProtocol=https;AccountName=x;AccountKey=${made("mixed", 86)}==`,
  ],
  ["a signed URL", "DOWNLOAD", `https://x.blob.example/a?sv=2024-01-01&sig=${made("mixed", 44)}`],
  [
    "a JSON web token",
    "JWT",
    [base64('{"alg":"HS256","typ":"JWT"}'), base64('{"sub":"1234567890","admin":true}'), made("mixed", 43)]
      .join(".")
      .replaceAll("=", ""),
  ],
  ["an AWS access key", "KEY_ID", `AK${"IA"}${made("upper", 16)}`],
  ["a GitHub token", "GH", `gh${"p"}_${made("mixed", 36)}`],
  ["a fine-grained GitHub token", "GH", `github_${"pat"}_${made("mixed", 82)}`],
  ["a GitLab token", "GL", `gl${"pat"}-${made("mixed", 20)}`],
  ["a Slack token", "BOT", `xox${"b"}-${made("lower", 40)}`],
  [
    "a Slack webhook",
    "NOTIFY",
    `https://hooks.slack.com/services/T${made("upper", 8)}/B${made("upper", 8)}/${made("mixed", 24)}`,
  ],
  ["a Discord webhook", "NOTIFY", `https://discord.com/api/webhooks/123456789012345678/${made("mixed", 68)}`],
  ["a Telegram token", "BOT", `123456789:A${"A"}${made("mixed", 33)}`],
  ["a Stripe key", "PAYMENTS", `sk${"_live"}_${made("mixed", 24)}`],
  ["a webhook's signing secret", "HOOK", `wh${"sec"}_${made("mixed", 32)}`],
  ["a Google API key", "MAPS", `AI${"za"}${made("mixed", 35)}`],
  ["a Google client secret", "GOOGLE", `GOC${"SPX"}-${made("mixed", 28)}`],
  ["an npm token", "REGISTRY", `np${"m"}_${made("mixed", 36)}`],
  ["a PyPI token", "UPLOAD", `py${"pi"}-AgEI${made("mixed", 60)}`],
  ["a Docker token", "HUB", `dckr_${"pat"}_${made("mixed", 27)}`],
  ["a Pulumi token", "BACKEND", `pu${"l"}-${made("hex", 40)}`],
  ["a Vault token", "VAULT", `hv${"s"}.${made("mixed", 24)}`],
  ["a DigitalOcean token", "CLOUD", `dop${"_v1"}_${made("hex", 64)}`],
  ["a SendGrid key", "MAIL", `S${"G"}.${made("mixed", 22)}.${made("mixed", 43)}`],
  ["an OpenAI key", "MODEL", `sk-${"proj"}-${made("mixed", 48)}`],
  ["a Hugging Face token", "MODEL", `h${"f"}_${made("mixed", 34)}`],
  ["a Grafana token", "DASHBOARDS", `gl${"sa"}_${made("mixed", 32)}_${made("hex", 8)}`],
  ["a Databricks token", "LAKE", `da${"pi"}${made("hex", 32)}`],
  ["a password's hash", "USERS", `admin:$2y$10$${made("mixed", 53)}`],
  ["a bearer token in a header", "HEADERS", `Authorization: Bearer ${made("mixed", 40)}`],
  ["basic authentication in a header", "HEADERS", `Authorization: Basic ${base64("admin:s3cr3t-one")}`],
  [
    "a password in a file of settings",
    "config.yaml",
    "server:\n  port: 8080\ndatabase:\n  user: x\n  password: s3cr3t\n",
  ],
  ["a key in a file of JSON", "config.json", `{"port": 8080, "apiKey": "${made("lower", 24)}"}`],
  ["a long random string", "SETTING", made("mixed", 44)],
  ["a password of digits by its name", "DB_PASSWORD", "20261125"],
  ["a password behind an option", "COMMAND", "mysql --host db --password s3cr3t inventory"],
  ["a user's password for curl", "COMMAND", "curl -fsS -u admin:s3cr3t https://registry.example/v2/"],
];

const uuid = () => [8, 4, 4, 4, 12].map((length) => made("hex", length)).join("-");
const times = <T>(count: number, one: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => one(index));

/** Texts that resemble credentials and are none, 200 of them. */
const harmless: readonly (readonly [name: string, value: string])[] = [
  ...times(10, (): [string, string] => ["REQUEST_ID", uuid()]),
  ...times(10, (): [string, string] => ["REVISION", made("hex", 40)]),
  ...times(10, (): [string, string] => ["checksum/config", made("hex", 64)]),
  ...times(10, (): [string, string] => ["IMAGE", `ghcr.io/technova/inventory@sha256:${made("hex", 64)}`]),
  ...times(10, (): [string, string] => ["INTEGRITY", `sha512-${made("mixed", 86)}==`]),
  ...times(10, (): [string, string] => ["SUM", `h1:${made("mixed", 43)}=`]),
  ...times(5, (): [string, string] => ["ETAG", `W/"${made("hex", 32)}"`]),
  ...times(5, (index): [string, string] => ["ULID", `01J${made("upper", 22)}${index}`]),
  ...times(10, (index): [string, string] => [
    "POD",
    `inventory-${made("hex", 10)}-${made("lower", 5)}${index}`,
  ]),
  ...times(5, (index): [string, string] => [
    "URN",
    `urn:pulumi:local::technova::kubernetes:core/v1:Pod::web${index}`,
  ]),
  ...times(5, (index): [string, string] => [
    "ROLE",
    `arn:aws:iam::12345678901${index}:role/InventoryReadOnlyAccessForProduction`,
  ]),
  ...[
    ["PASSWORD_FILE", "/etc/inventory/database-password"],
    ["SECRET_NAME", "inventory-database"],
    ["TOKEN_TTL_SECONDS", "3600"],
    ["API_KEY_HEADER", "X-API-Key"],
    ["PASSWORD_MIN_LENGTH", "12"],
    ["TOKEN_URL", "https://login.example/oauth2/v2.0/token"],
    ["SECRETS_MOUNT", "/var/run/secrets"],
    ["ENABLE_TOKEN_ROTATION", "true"],
    ["PASSWORD", "$(DATABASE_PASSWORD)"],
    ["API_KEY", "${API_KEY}"],
    ["TOKEN", "{{ .Values.token }}"],
    ["CLIENT_SECRET", "<from the vault>"],
    ["DB_PASSWORD", ""],
    ["DB_PASSWORD", "***"],
    ["API_TOKEN", "REDACTED"],
    ["PRIVATE_KEY", "./keys/private.pem"],
    ["ACCESS_KEY", "null"],
    ["DATABASE_URL", "postgresql://db.inventory.svc:5432/inventory"],
    ["DATABASE_URL", "postgresql://inventory:$(PASSWORD)@db:5432/inventory"],
    ["DATABASE_URL", "postgresql://inventory:${PASSWORD}@db:5432/inventory"],
    ["REDIS_URL", "redis://cache:6379/0"],
    ["KEYCLOAK_URL", "https://keycloak.example/realms/technova/protocol/openid-connect/auth"],
    ["ISSUER", "https://token.actions.githubusercontent.com"],
    ["AUDIENCE", "api://AzureADTokenExchange"],
    ["SCOPES", "openid profile email offline_access items:read items:write"],
    [
      "CERTIFICATE",
      `${dashes}BEGIN CERTIFICATE${dashes}\n${made("mixed", 64)}\n${dashes}END CERTIFICATE${dashes}`,
    ],
    [
      "PUBLIC_KEY",
      `${dashes}BEGIN PUBLIC KEY${dashes}\n${made("mixed", 64)}\n${dashes}END PUBLIC KEY${dashes}`,
    ],
    [
      "CA_DATA",
      base64(`${dashes}BEGIN CERTIFICATE${dashes}\n${made("mixed", 64)}\n${dashes}END CERTIFICATE${dashes}`),
    ],
    ["AUTHORIZED_KEYS", `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${made("mixed", 43)} deploy@technova`],
    ["KNOWN_HOSTS", `github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${made("mixed", 43)}`],
    ["COOKIE_NAME", "__Host-inventory-session-token"],
    ["HASH_ALGORITHM", "argon2id"],
    ["CIPHERS", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"],
    [
      "JAVA_OPTS",
      "-XX:MaxRAMPercentage=75.0 -XX:+ExitOnOutOfMemoryError -Djava.security.egd=file:/dev/urandom",
    ],
    ["SCHEDULE", "*/15 2-6 * * 1-5"],
    ["SELECTOR", "app.kubernetes.io/name=inventory,app.kubernetes.io/component in (api,worker)"],
    [
      "QUERY",
      'sum(rate(http_requests_total{route!~"/healthz|/readyz",status=~"5.."}[5m])) by (template_hash)',
    ],
    ["FORMAT", "%(asctime)s %(levelname)s %(name)s %(message)s"],
    ["PATTERN", "^(?:[A-Z]{2}[0-9]{2})(?:[ ]?[0-9A-Z]{4}){3,7}[0-9A-Z]{1,2}$"],
    ["TEMPLATE", "{{ range .Alerts }}{{ .Labels.alertname }} {{ .Annotations.summary }}{{ end }}"],
    ["BUCKET", "technova-inventory-snapshots-eu-central-1-production"],
    ["HOSTNAME", "ip-10-40-12-113.eu-central-1.compute.internal"],
    ["ENDPOINT", "https://s3.eu-central-1.amazonaws.com/technova-inventory/2026/11/25/dump.sql.gz"],
    ["CLUSTER", "arn:aws:eks:eu-central-1:123456789012:cluster/technova-production-green"],
    ["VERSION", "1.34.3-gke.1034000+build.20261125"],
    ["TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
    ["GIT_REF", "refs/heads/feature/INV-1234-rotate-database-password-without-restart"],
    ["MESSAGE", "The password is read from a file; a token is exchanged every hour."],
    ["NOTE", "Rotate the API key: see the runbook of the registry."],
    ["KUBECONFIG_CONTEXT", "gke_technova-production_europe-west3_inventory-blue"],
    ["CLASS", "com.technova.inventory.security.TokenAuthenticationFilterFactoryBean"],
    ["MODULE", "github.com/technova/inventory/internal/credentials/passwordHasher"],
    ["ALPHABET", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"],
    ["LOREM", "LoremIpsumDolorSitAmetConsecteturAdipiscingElitSedDoEiusmod"],
    ["FEATURES", "newCheckout,fasterSearch,tokenBasedPagination,secretSanta2026"],
    [
      "config.yaml",
      "auth:\n  passwordFile: /etc/x\n  tokenUrl: https://login.example/token\n  secretName: inventory\n",
    ],
    [
      "config.yaml",
      "database:\n  password: ${DB_PASSWORD}\n  passwordFrom:\n    secretKeyRef: { name: db, key: password }\n",
    ],
    ["config.toml", 'token_ttl = "1h"\npassword_policy = "strong"\napi_key_header = "X-API-Key"\n'],
    ["settings.ini", "[auth]\npassword = %(db_password)s\ntoken =\n"],
    [
      "nginx.conf",
      "ssl_password_file /etc/keys/pass;\nproxy_set_header Authorization $http_authorization;\n",
    ],
    [
      "code.py",
      'token = Path(ACCOUNT, "token").read_text()\npassword = settings.password\napi_key: str | None = None\n',
    ],
    [
      "code.ts",
      "const token = await getToken();\nlet secret: string;\nconst apiKey = options.apiKey ?? undefined;\n",
    ],
    ["code.sh", 'PASSWORD="$(cat /run/secrets/password)"\nTOKEN=${TOKEN:-}\nexport API_KEY\n'],
    [
      "schema.json",
      '{"properties": {"password": {"type": "string", "minLength": 12}, "token": {"type": "string"}}}',
    ],
    ["openapi.yaml", "securitySchemes:\n  ApiKey:\n    type: apiKey\n    name: X-API-Key\n    in: header\n"],
    [
      "rules.yaml",
      "groups:\n  - name: tokens\n    rules:\n      - alert: TokenExpiresSoon\n        expr: token_expiry_seconds < 3600\n",
    ],
    [
      "dashboard.json",
      '{"title": "Tokens and passwords", "uid": "inventory-auth", "panels": [{"datasource": {"uid": "prometheus"}}]}',
    ],
    [
      "messages.properties",
      "login.password=Password\nlogin.token=Token\nerror.password=The password is wrong\n",
    ],
    [
      "prometheus.yml",
      "authorization:\n  credentials_file: /var/run/secrets/kubernetes.io/serviceaccount/token\n",
    ],
    ["alertmanager.yml", "smtp_auth_password_file: /etc/alertmanager/password\n"],
    ["values.yaml", "auth:\n  existingSecret: inventory-auth\n  secretKey: password\n"],
    ["kustomization.yaml", "secretGenerator:\n  - name: db\n    files: [password=secrets/password.txt]\n"],
    ["pip.conf", "[global]\nindex-url = https://pypi.org/simple\n"],
    ["npmrc", "//registry.npmjs.org/:_authToken=${NPM_TOKEN}\n"],
    ["go.sum", `github.com/x/y v1.2.3 h1:${made("mixed", 43)}=\n`],
    ["package-lock.json", `{"integrity": "sha512-${made("mixed", 86)}=="}`],
    ["robots.txt", "User-agent: *\nDisallow: /token\nDisallow: /password-reset\n"],
    ["README.md", "Set `DB_PASSWORD` in the environment. The `token` is optional.\n"],
    [
      "crd.yaml",
      "token:\n  description: The token of the service account.\n  type: string\npassword:\n  type: string\n",
    ],
    [
      "logback.xml",
      '<property name="token" value="${TOKEN}"/><encoder><pattern>%d %-5level %msg</pattern></encoder>',
    ],
    ["policy.rego", 'deny[msg] { input.password == ""; msg := "password must not be empty" }'],
    ["policy.json", '{"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": "*"}'],
    ["jwks.json", `{"keys": [{"kty": "RSA", "e": "AQAB", "kid": "2026-11", "n": "${made("mixed", 342)}"}]}`],
    [
      "icon.svg",
      '<svg viewBox="0 0 24 24"><path d="M12 2L2 7l10 5 10-5-10-5zM2 17l10 5 10-5M2 12l10 5 10-5"/></svg>',
    ],
    ["pixel", "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"],
    ["COLOURS", "#1b1f24,#59636e,#d7dce1,#b3261e,#8a5a00,#1a7f37"],
    ["PHONE", "+49 30 901820"],
    ["IBAN_EXAMPLE", "DE89 3704 0044 0532 0130 00"],
    ["COORDINATES", "52.520008,13.404954"],
    ["IPV6", "2001:0db8:85a3:0000:0000:8a2e:0370:7334"],
    ["MAC", "00:1B:44:11:3A:B7"],
    ["CRON_TZ", "Europe/Berlin"],
    ["LOCALE", "de_DE.UTF-8"],
    ["DURATION", "P3Y6M4DT12H30M5S"],
    ["TIMESTAMP", "2026-11-25T04:26:36.123456789Z"],
    ["SERIAL", "4f:1a:9c:00:be:ef:12:34:56:78:9a:bc:de:f0:12:34"],
    ["FINGERPRINT", `SHA256:${made("mixed", 43)}`],
    ["DEVICE", "pci-0000:00:1f.2-ata-1"],
    ["PERMISSIONS", "items:read,items:write,locations:read,movements:write,reports:read"],
    ["KEY", "inventory/v1/items"],
    ["PRIMARY_KEY", "id"],
    ["SORT_KEY", "created_at"],
    ["PARTITION_KEY", "location_id"],
    ["KEYBOARD", "de-latin1-nodeadkeys"],
    ["MONKEY", "business"],
    ["TOKENIZER", "bert-base-multilingual-cased"],
    ["AUTHOR", "Platform team <platform@technova.example>"],
    ["PASSENGER_LIMIT", "100"],
    ["COMPASS", "north"],
    ["SECRETARY", "Office"],
    ["MAX_TOKENS", "4096"],
    ["TOKENS", "100000"],
    ["REQUIRE_PASSWORD", "1"],
    ["TOKEN", "3600s"],
    ["COMMAND", "mysql --password $MYSQL_PASSWORD --host db"],
    ["COMMAND", 'mysql --password "$MYSQL_PASSWORD" --host db'],
    ["COMMAND", 'mysql --password "$(cat /run/secrets/password)"'],
    ["COMMAND", "export PGPASSWORD=$DB_PASSWORD; psql --user inventory"],
    ["COMMAND", "docker run --user 1000:1000 registry.example/tool"],
    ["COMMAND", "chown --from nginx:nginx -R app:app /data"],
    ["COMMAND", "curl -u $NAME:$PASSWORD https://registry.example/v2/"],
    ["COMMAND", 'curl -fsSu "${NAME}:${PASSWORD}" https://registry.example/v2/'],
    ["COMMAND", "curl --user-agent probe:1 https://registry.example:5000/v2/"],
    ["COMMAND", "curl -su user:password https://registry.example/v2/"],
    ["COMMAND", "docker build --secret id=npm2,src=.npmrc --tag shop:1 ."],
    ["COMMAND", "docker login --username robot1 --password-stdin registry.example"],
    ["COMMAND", "openssl enc -pass file:/run/secrets/pass2 -in data"],
    ["USAGE", "usage: login [--password PASSWORD] [--token <token>] --tokens 4096"],
    ["HELP", "Do not pass --password on the command line; --token is read from a file."],
    ["FORMAT", "login --password %(password)s --token {{ .Token }}"],
    ["NOTE", "Password: 12 characters at least."],
  ].map(([name = "", value = ""]): [string, string] => [name, value]),
];

describe("credentials and what resembles them", () => {
  const found = (name: string, value: string) => {
    const pod = changed(goodPod(), ["spec", "containers", 0, "env", 0], { name, value });
    const map = { metadata: { name: "settings", namespace: "inventory" }, data: { [name]: value } };
    const argument = changed(
      goodPod(),
      ["spec", "containers", 0, "args", 0],
      `--${name.toLowerCase().replaceAll("_", "-")}=${value}`,
    );
    return {
      env: outcome(noPlainSecretsInEnv, podTypes.Pod, pod).violations.length,
      map: outcome(noSecretsInConfigMaps, "kubernetes:core/v1:ConfigMap", map).violations.length,
      argument: outcome(noPlainSecretsInArguments, podTypes.Pod, argument).violations.length,
    };
  };

  it("plants at least 50", () => expect(planted).to.have.length.at.least(50));

  for (const [what, name, value] of planted) {
    it(`finds ${what}, wherever it is`, () => {
      expect(found(name, value)).to.deep.equal({ env: 1, map: 1, argument: 1 });
    });
  }

  it("raises no more than 2 alarms over 200 harmless texts", () => {
    expect(harmless.length).to.be.at.least(200);
    const alarms = harmless.filter(([name, value]) => {
      const { env, map, argument } = found(name, value);
      return env + map + argument > 0;
    });
    expect(alarms.length, alarms.map(([name, value]) => `${name}: ${value}`).join("\n")).to.be.at.most(2);
  });
});
