// A worker whose inputs, results and failures are encrypted: `dotnet run`, against a development server.
using TemporalCodec;
using Temporalio.Client;
using Temporalio.Worker;
using Temporalio.Workflows;

static string Env(string name, string otherwise) => Environment.GetEnvironmentVariable(name) ?? otherwise;

var keyArn = Environment.GetEnvironmentVariable("KMS_KEY_ARN");
KeySource keys = keyArn is null
    ? new KeyringFile(Env("KEYRING", "../../.codec-server/keyring.json"))
    : new KmsKeys(keyArn);
var client = await TemporalClient.ConnectAsync(new(Env("TEMPORAL_ADDRESS", "localhost:7233"))
{
    Namespace = Env("TEMPORAL_NAMESPACE", "default"),
    Plugins = [new EncryptionPlugin(keys)],
});
using var worker = new TemporalWorker(client, new TemporalWorkerOptions("greetings").AddWorkflow<Greeting>());
await worker.ExecuteAsync(async () =>
{
    var result = await client.ExecuteWorkflowAsync(
        (Greeting workflow) => workflow.RunAsync("Ada"), new("greeting-dotnet", "greetings"));
    Console.WriteLine(result);
});

[Workflow]
public class Greeting
{
    [WorkflowRun]
    public Task<string> RunAsync(string name) => Task.FromResult($"Hello, {name}!");
}
