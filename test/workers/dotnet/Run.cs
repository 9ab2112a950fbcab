// Runs the tests of this assembly with NUnit itself, as `dotnet test` does through its adapter.
using System.Reflection;
using NUnit.Framework.Api;
using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

// NUnit keeps for itself what is written while it runs.
var output = Console.Out;
var runner = new NUnitTestAssemblyRunner(new DefaultTestAssemblyBuilder());
runner.Load(Assembly.GetExecutingAssembly(), new Dictionary<string, object>());
var result = runner.Run(new Listener(output), TestFilter.Empty);
var others = result.TotalCount - result.PassCount - result.FailCount;
output.WriteLine($"{result.PassCount} passed, {result.FailCount} failed");
if (result.ResultState.Status != TestStatus.Passed || result.PassCount == 0 || others > 0)
    output.WriteLine($"{result.ResultState}, and {others} that neither passed nor failed");
return result.ResultState.Status == TestStatus.Passed && result.PassCount > 0 && others == 0 ? 0 : 1;

/// <summary>Tells of what did not pass.</summary>
internal sealed class Listener(TextWriter output) : ITestListener
{
    public void TestStarted(ITest test)
    {
    }

    public void TestFinished(ITestResult result)
    {
        if (result.ResultState.Status == TestStatus.Passed || result.ResultState.Site == FailureSite.Child) return;
        output.WriteLine($"{result.ResultState} {result.FullName}\n{result.Message}\n{result.StackTrace}");
    }

    public void TestOutput(TestOutput output)
    {
    }

    public void SendMessage(TestMessage message)
    {
    }
}
