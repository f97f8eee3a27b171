/** What `cdk synth` and `cdk deploy` run: the stacks of the configuration, held to the AWS Solutions rules. */
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readConfiguration } from './read-configuration.ts';
import { repositoryRoot } from './repository.ts';
import { addStacks } from './stacks/patching-app.ts';

const app = new App();
const file: unknown = app.node.tryGetContext('configuration');
const configuration = readConfiguration(repositoryRoot, typeof file === 'string' ? file : undefined, (note) =>
  process.stderr.write(`${note}\n`),
);
addStacks(app, configuration);
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
