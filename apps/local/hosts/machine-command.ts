/** Runs a program of this machine and hands back what it printed, or an error that says what it complained of. */
import { spawn } from 'node:child_process';

/** chroot and its like, which an ordinary user's search path may lack. */
const SYSTEM_FOLDERS = '/usr/sbin:/sbin';

export async function runOnMachine(
  argv: readonly [string, ...string[]],
  options: { readonly env?: NodeJS.ProcessEnv; readonly input?: string } = {},
): Promise<string> {
  const [program, ...args] = argv;
  const { PATH = '', ...env } = options.env ?? process.env;
  const child = spawn(program, args, {
    env: { ...env, PATH: `${PATH}:${SYSTEM_FOLDERS}` },
    cwd: '/',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A program that ends without reading its input says so by its exit code, not by a broken pipe here.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input);
  const code = await new Promise<number | string | null>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (exit, signal) => resolve(exit ?? signal));
  });
  if (code === 0) return stdout;
  const complaint = (stderr.trim() || stdout.trim()).split('\n').slice(-5).join('; ');
  throw new Error(`"${argv.join(' ')}" ended with ${code}: ${complaint}`);
}
