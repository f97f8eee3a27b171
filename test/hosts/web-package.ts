/** Owns a service that answers over HTTP, for packages of every family: its configuration decides whether and how. */

const program = `#!/usr/bin/perl
use IO::Socket::INET;
my $status;
for my $name (qw(/etc/web/web.conf /etc/web/local.conf)) {
  open my $file, '<', $name or next;
  while (<$file>) {
    next if /^#/;
    /^status (\\d+)$/ or die "$name: what is $_";
    $status = $1;
  }
}
my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 8080, Listen => 5, ReuseAddr => 1) or die;
while (my $client = $socket->accept) {
  while (<$client>) { last if /^\\r?$/ }
  print $client "HTTP/1.0 $status Said\\r\\nContent-Length: 0\\r\\n\\r\\n";
  close $client;
}
`;

const unit = `[Service]
ExecStart=/usr/lib/web/serve
[Install]
WantedBy=multi-user.target
`;

/** By absolute path: content and mode; \`config\` for the file that operators may change. */
export const webFiles = (configuration: string) => ({
  '/usr/lib/web/serve': { content: program, mode: 0o755 },
  '/usr/lib/systemd/system/web.service': { content: unit },
  '/etc/web/web.conf': { content: configuration, config: true, conffile: true },
});

/** What a package does once its files are there. */
export const restartWeb =
  '[ ! -d /run/systemd/system ] || { systemctl daemon-reload; systemctl restart web; }';

/** What a policy asks of such a server. */
export const askedOfWeb = {
  services: ['web.service'],
  probes: [
    {
      kind: 'http',
      name: 'web',
      url: 'http://127.0.0.1:8080/',
      status: 200,
      timeoutSeconds: 5,
      tries: 2,
    },
  ],
} as const;

/** The configuration whose changes are told and can be brought back. */
export const etc = { never: [], backup: { paths: ['/etc'], exclude: [] } };
