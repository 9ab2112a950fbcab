// A worker whose inputs and results are encrypted: `dotnet run`, against a development server.
using EncryptingWorker;
using Temporalio.Client;
using Temporalio.Converters;
using Temporalio.Worker;
using Temporalio.Workflows;

static string Env(string name, string otherwise) => Environment.GetEnvironmentVariable(name) ?? otherwise;

var ns = Env("TEMPORAL_NAMESPACE", "default");
var keyArn = Environment.GetEnvironmentVariable("KMS_KEY_ARN");
var keys = keyArn is null ? Keys.OfKeyring(Env("KEYRING", "../../.codec-server/keyring.json")) : Keys.OfKms(keyArn);
var client = await TemporalClient.ConnectAsync(new(Env("TEMPORAL_ADDRESS", "localhost:7233"))
{
    Namespace = ns,
    DataConverter = DataConverter.Default with { PayloadCodec = new EncryptionCodec(ns, keys) },
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
