"""Compiles C# with the packages of requirements.txt: ``compile.py FOLDER NUNIT FILE…``.

Into FOLDER go ``Tests.dll``, the libraries that it refers to and what ``dotnet exec`` needs. Prints the ``dotnet`` of the
runtime. A warning is a failure, as an error is.
"""

import json
import pathlib
import shutil
import sys
import sysconfig

from clr_loader import get_coreclr
from pythonnet import set_runtime

PACKAGES = pathlib.Path(sysconfig.get_path("purelib"))
DOTNET = PACKAGES / "dnv/net/runtime/.net"
SERVER = PACKAGES / "ravendb_embedded/target/nuget/contentFiles/any/any/RavenDBServer"
LIBRARIES = ("Google.Protobuf.dll", "AWSSDK.Core.dll", "ZstdSharp.dll")
#: What ``ImplicitUsings`` of a project file stands for.
USINGS = (
    "System",
    "System.Collections.Generic",
    "System.IO",
    "System.Linq",
    "System.Threading",
    "System.Threading.Tasks",
)
#: Google.Protobuf was built against an older System.Memory: the compiler tells it, MSBuild does not.
KNOWN = {"CS1701"}


def main(folder: pathlib.Path, nunit: str, files: list[str]) -> int:
    config = folder / "Tests.runtimeconfig.json"
    framework = {"name": "Microsoft.NETCore.App", "version": "8.0.0"}
    config.write_text(json.dumps({"runtimeOptions": {"tfm": "net8.0", "framework": framework}}))
    set_runtime(get_coreclr(runtime_config=str(config), dotnet_root=str(DOTNET)))

    import clr

    for name in ("Microsoft.CodeAnalysis", "Microsoft.CodeAnalysis.CSharp"):
        clr.AddReference(str(SERVER / f"{name}.dll"))
    from Microsoft.CodeAnalysis import (  # type: ignore[import-not-found]
        DiagnosticSeverity,
        DocumentationMode,
        MetadataReference,
        NullableContextOptions,
        OutputKind,
        SyntaxTree,
    )
    from Microsoft.CodeAnalysis.CSharp import (  # type: ignore[import-not-found]
        CSharpCompilation,
        CSharpCompilationOptions,
        CSharpParseOptions,
        CSharpSyntaxTree,
        LanguageVersion,
    )
    from System.Collections.Generic import List  # type: ignore[import-not-found]
    from System.IO import FileMode, FileStream  # type: ignore[import-not-found]
    from System.Text import Encoding  # type: ignore[import-not-found]

    # The version of .NET 8.
    options = CSharpParseOptions(LanguageVersion.CSharp12)
    trees = List[SyntaxTree]()
    usings = "".join(f"global using global::{it};\n" for it in USINGS)
    texts = {"Usings.cs": usings, **{it: pathlib.Path(it).read_text("utf-8") for it in files}}
    for path, text in texts.items():
        # The library has to be documented, as its project file asks.
        mode = DocumentationMode.Diagnose if "/src/" in path else DocumentationMode.Parse
        trees.Add(CSharpSyntaxTree.ParseText(text, options.WithDocumentationMode(mode), path, Encoding.UTF8))

    shared = next((DOTNET / "shared/Microsoft.NETCore.App").iterdir())
    references = List[MetadataReference]()
    for library in [*(SERVER / it for it in LIBRARIES), pathlib.Path(nunit)]:
        shutil.copy(library, folder)
        references.Add(MetadataReference.CreateFromFile(str(library)))
    for library in [*shared.glob("System*.dll"), *shared.glob("netstandard.dll"), *shared.glob("mscorlib.dll")]:
        references.Add(MetadataReference.CreateFromFile(str(library)))

    settings = CSharpCompilationOptions(OutputKind.ConsoleApplication)
    settings = settings.WithNullableContextOptions(NullableContextOptions.Enable).WithWarningLevel(8)
    output = FileStream(str(folder / "Tests.dll"), FileMode.Create)
    result = CSharpCompilation.Create("Tests", trees, references, settings).Emit(output)
    output.Dispose()
    found = [it for it in result.Diagnostics if it.Severity >= DiagnosticSeverity.Warning and it.Id not in KNOWN]
    for it in found:
        print(it.ToString(), file=sys.stderr)
    program = DOTNET / "dotnet"
    program.chmod(0o755)
    print(program)
    return 0 if result.Success and not found else 1


sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
