/**
 * Evaluates requests by the policies that apply to them, with somebody else's evaluator and AWS's own list of actions,
 * resource types and condition keys. A process of its own, since that evaluator's licence is not ours.
 *
 * Takes the folder that it is installed in, and on standard input one JSON object, as `simulator.ts` has it; writes one
 * JSON array, an answer for each request.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

const installed = createRequire(join(process.argv[2], 'package.json'));
const load = (name) => import(pathToFileURL(installed.resolve(name)).href);
const { runSimulation } = await load('@cloud-copilot/iam-simulate');

const { policies, requests } = JSON.parse(await text(process.stdin));
const answers = [];
for (const request of requests) answers.push(await answer(request));
process.stdout.write(JSON.stringify(answers));

async function answer(request) {
  const { principal, resource, account, context, identity, byResource, standIn } = request;
  const action = standIn ?? request.action;
  // Without the action that stands in for another, which the policies are not meant to speak of.
  const policyCalled = (name) =>
    standIn === undefined ? policies[name] : renamed(policies[name], request.action, standIn);
  const simulation = {
    request: {
      principal,
      action,
      resource: { resource, accountId: account },
      contextVariables: context,
    },
    identityPolicies: identity.map((name) => ({ name, policy: policyCalled(name) })),
    resourcePolicy: byResource === undefined ? undefined : policyCalled(byResource),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  };
  const simulated = await runSimulation(simulation, { simulationMode: 'Strict' });
  if (simulated.resultType === 'error') return { result: 'Invalid', error: JSON.stringify(simulated.errors) };
  const results = simulated.resultType === 'single' ? [simulated.result] : simulated.results;
  if (results.length !== 1)
    return { result: 'Invalid', error: `${resource} is a pattern: name one resource` };
  const [{ analysis, ignoredContextKeys }] = results;
  return answerOf(analysis, ignoredContextKeys ?? [], byResource, standIn && { [standIn]: request.action });
}

function renamed(policy, from, to) {
  return JSON.parse(
    JSON.stringify(policy).replaceAll(`"${to}"`, '"none:None"').replaceAll(`"${from}"`, `"${to}"`),
  );
}

/** Matched are all statements that say something of the request, and of each the patterns that do. */
function answerOf({ result, identityAnalysis, resourceAnalysis }, ignoredKeys, byResource, names = {}) {
  const matched = [
    ...matchedOf(identityAnalysis, ({ policyId }) => policyId, names),
    ...matchedOf(resourceAnalysis, () => byResource, names),
  ];
  return { result, ignoredKeys, matched };
}

function matchedOf(analysis, policyOf, names) {
  if (analysis === undefined) return [];
  return [...analysis.allowStatements, ...analysis.denyStatements].map((each) => ({
    policy: policyOf(each),
    statement: each.statement.index(),
    actions: matching(each.explain.actions, 'action').map((name) => names[name] ?? name),
    resources: matching(each.explain.resources, 'resource'),
  }));
}

function matching(explained, member) {
  return [explained ?? []]
    .flat()
    .filter(({ matches }) => matches)
    .map((each) => each[member]);
}
