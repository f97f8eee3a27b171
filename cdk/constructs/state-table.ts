/** Owns the state table: its keys are those that the adapter reads and writes. */
import { RemovalPolicy } from 'aws-cdk-lib';
import {
  type Attribute,
  AttributeType,
  BillingMode,
  ProjectionType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { tableShape } from '../../lambdas/aws/table-shape.ts';
import type { DataKey } from './data-key.ts';
import type { PatchFunction } from './patch-function.ts';

export class StateTable extends Construct {
  readonly table: Table;
  private readonly key: DataKey;

  constructor(scope: Construct, id: string, { key }: { readonly key: DataKey }) {
    super(scope, id);
    this.key = key;
    this.table = new Table(this, 'Table', {
      ...keysOf(tableShape.KeySchema),
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: key.key,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    for (const index of tableShape.GlobalSecondaryIndexes) {
      this.table.addGlobalSecondaryIndex({
        indexName: index.IndexName,
        ...keysOf(index.KeySchema),
        projectionType: ProjectionType[index.Projection.ProjectionType],
      });
    }
  }

  /** Reads and writes items one by one, and queries. Nothing is ever scanned or deleted. */
  grantRecords(fn: PatchFunction): void {
    fn.allow({
      actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:Query'],
      resources: [this.table.tableArn],
    });
    this.key.grantTable(fn);
    fn.setVariable('stateTable', this.table.tableName);
  }

  /** The index of what is to be looked at again; an index is queried, and nothing else. */
  grantDue(fn: PatchFunction): void {
    fn.allow({
      actions: ['dynamodb:Query'],
      resources: indexNames.map((name) => `${this.table.tableArn}/index/${name}`),
    });
  }
}

const indexNames = tableShape.GlobalSecondaryIndexes.map(({ IndexName }) => IndexName);

type Keys = readonly { readonly AttributeName: string; readonly KeyType: 'HASH' | 'RANGE' }[];

function keysOf(schema: Keys): { partitionKey: Attribute; sortKey: Attribute } {
  const attribute = (type: 'HASH' | 'RANGE'): Attribute => {
    const name = schema.find(({ KeyType }) => KeyType === type)?.AttributeName;
    const definition = tableShape.AttributeDefinitions.find(({ AttributeName }) => AttributeName === name);
    if (definition === undefined) throw new Error(`the shape of the table defines no ${type} key`);
    return { name: definition.AttributeName, type: attributeTypes[definition.AttributeType] };
  };
  return { partitionKey: attribute('HASH'), sortKey: attribute('RANGE') };
}

const attributeTypes = { S: AttributeType.STRING };
