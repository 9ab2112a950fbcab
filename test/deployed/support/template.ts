/**
 * A synthesized stack as CloudFormation would read it: its template, its assets, and the values of
 * what its template refers to.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

// biome-ignore lint/suspicious/noExplicitAny: a template is whatever CloudFormation says
type Json = any;

/** A resource of a template. */
export interface TemplateResource {
  readonly Type: string;
  readonly Properties: Json;
}

/** What CloudFormation knows of a resource that exists: its physical id, and its attributes. */
export interface PhysicalResource {
  readonly ref: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** A cloud assembly's stack. */
export class DeployedTemplate {
  readonly resources: Readonly<Record<string, TemplateResource>>;
  readonly #outputs: Readonly<Record<string, { readonly Value: Json }>>;
  readonly #folder: string;
  readonly #assets: Json;
  readonly #pseudo: Readonly<Record<string, string>>;
  readonly #physical = new Map<string, PhysicalResource>();

  /** @param folder the cloud assembly's, such as `cdk.out` */
  constructor(folder: string, stackName: string, { region = 'eu-central-1', account = '111122223333' } = {}) {
    const template: Json = JSON.parse(readFileSync(join(folder, `${stackName}.template.json`), 'utf8'));
    this.resources = template.Resources;
    this.#outputs = template.Outputs ?? {};
    this.#folder = folder;
    this.#assets = JSON.parse(readFileSync(join(folder, `${stackName}.assets.json`), 'utf8'));
    this.#pseudo = {
      'AWS::Region': region,
      'AWS::AccountId': account,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': stackName,
    };
  }

  /** Resources of a type, by logical id. */
  ofType(type: string): [id: string, resource: TemplateResource][] {
    return Object.entries(this.resources).filter(([, { Type }]) => Type === type);
  }

  /** The one resource of a type whose logical id begins with `prefix`. */
  one(type: string, prefix = ''): [id: string, resource: TemplateResource] {
    const found = this.ofType(type).filter(([id]) => id.startsWith(prefix));
    const [first] = found;
    if (first === undefined || found.length > 1)
      throw new Error(`expected one ${type} ${prefix}, found ${found.length}`);
    return first;
  }

  /** Says that a resource exists now. */
  provide(id: string, physical: PhysicalResource): void {
    this.#physical.set(id, physical);
  }

  /**
   * A value with its references resolved.
   *
   * @throws Error for a function of CloudFormation that the stack was not expected to use
   */
  resolve(value: Json): Json {
    if (Array.isArray(value)) return value.map((item) => this.resolve(item));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value as Record<string, Json>);
    const [first] = entries;
    if (first === undefined || entries.length > 1) return this.#resolveEach(entries);
    const [name, argument] = first;
    switch (name) {
      case 'Ref':
        return this.#pseudo[argument] ?? this.#existing(argument).ref;
      case 'Fn::GetAtt':
        return this.#attribute(argument[0], argument[1]);
      case 'Fn::Join':
        return this.resolve(argument[1]).join(argument[0]);
      case 'Fn::Sub':
        return String(argument).replace(/\$\{([^}]+)\}/g, (_, it: string) => this.resolve({ Ref: it }));
      default:
        if (name.startsWith('Fn::')) throw new Error(`the template uses ${name}, which is not resolved here`);
        return this.#resolveEach(entries);
    }
  }

  /** An output's value. */
  output(name: string): string {
    return this.resolve(this.#outputs[name]?.Value);
  }

  /** The folder of the asset that is a function's code. */
  codeFolder(lambda: TemplateResource): string {
    const hash = String(lambda.Properties.Code.S3Key).replace(/\.zip$/, '');
    const source = this.#assets.files[hash]?.source;
    if (source?.packaging !== 'zip') throw new Error(`there is no asset ${hash}`);
    return join(this.#folder, source.path);
  }

  #resolveEach(entries: [string, Json][]): Json {
    return Object.fromEntries(entries.map(([key, item]) => [key, this.resolve(item)]));
  }

  #existing(id: string): PhysicalResource {
    const physical = this.#physical.get(id);
    if (physical === undefined) throw new Error(`the template refers to ${id}, which was not provided`);
    return physical;
  }

  #attribute(id: string, name: string): string {
    const value = this.#existing(id).attributes?.[name];
    if (value === undefined) throw new Error(`the template asks for ${id}.${name}, which was not provided`);
    return value;
  }
}
