using System.Collections.Frozen;

namespace Temper.Scan.Artifacts;

/// <summary>How far a name that a pickle imports is trusted.</summary>
public enum NameTrust
{
    /// <summary>Only makes data.</summary>
    Allowed,

    /// <summary>A class of a known library: its own loading code runs, which is not vetted here.</summary>
    Known,

    /// <summary>On no list.</summary>
    Unlisted,

    /// <summary>Runs code, touches files or the network, loads more pickles, or reaches things that do.</summary>
    Dangerous,
}

/// <summary>The lists behind the pickle rules. What is on none is suspicious: the lists of bad names only make the message sharper.</summary>
public static class PickleNames
{
    // Constructors of plain data: whatever the arguments, nothing runs but the type itself.
    private static readonly FrozenSet<string> Allowed = Set("""
        builtins.set builtins.frozenset builtins.complex builtins.bytearray builtins.bytes builtins.list builtins.dict builtins.tuple builtins.int
        builtins.float builtins.bool builtins.str builtins.object builtins.range builtins.slice builtins.Ellipsis builtins.NoneType
        collections.OrderedDict collections.Counter collections.deque collections.defaultdict copyreg._reconstructor copyreg.__newobj__
        _codecs.encode datetime.datetime datetime.date datetime.time datetime.timedelta datetime.timezone decimal.Decimal fractions.Fraction
        uuid.UUID uuid.SafeUUID pathlib.PurePosixPath pathlib.PureWindowsPath pathlib.PosixPath pathlib.WindowsPath argparse.Namespace
        types.SimpleNamespace array._array_reconstructor array.array builtins.NotImplementedType
        numpy.ndarray numpy.dtype numpy.core.multiarray._reconstruct numpy.core.multiarray.scalar numpy._core.multiarray._reconstruct
        numpy._core.multiarray.scalar numpy.core.numeric._frombuffer numpy._core.numeric._frombuffer
        torch._utils._rebuild_tensor torch._utils._rebuild_tensor_v2 torch._utils._rebuild_tensor_v3 torch._utils._rebuild_parameter
        torch._utils._rebuild_parameter_with_state torch._utils._rebuild_qtensor torch._utils._rebuild_sparse_tensor
        torch._utils._rebuild_sparse_csr_tensor torch._utils._rebuild_meta_tensor_no_storage torch._utils._rebuild_nested_tensor
        torch._utils._rebuild_device_tensor_from_numpy torch._utils._rebuild_wrapper_subclass torch._tensor._rebuild_from_type_v2
        torch.Size torch.device torch.Tensor torch.nn.parameter.Parameter torch.nn.parameter.Buffer torch.storage.UntypedStorage
        torch.storage.TypedStorage torch.FloatStorage torch.DoubleStorage torch.HalfStorage torch.BFloat16Storage torch.LongStorage
        torch.IntStorage torch.ShortStorage torch.CharStorage torch.ByteStorage torch.BoolStorage torch.ComplexFloatStorage
        torch.ComplexDoubleStorage torch.QInt8Storage torch.QUInt8Storage torch.QInt32Storage torch.float torch.float16 torch.float32
        torch.float64 torch.double torch.half torch.bfloat16 torch.float8_e4m3fn torch.float8_e5m2 torch.uint8 torch.int8 torch.int16
        torch.int32 torch.int64 torch.bool torch.complex64 torch.complex128 torch.per_tensor_affine torch.per_channel_affine
        torch.strided torch.sparse_coo torch.serialization._get_layout
        sklearn.tree._tree.Tree _loss.__pyx_unpickle_CyHalfMultinomialLoss _loss.__pyx_unpickle_CyHalfBinomialLoss sklearn._loss._loss.__pyx_unpickle_CyHalfMultinomialLoss
        numpy.random._pickle.__randomstate_ctor numpy.random._pickle.__generator_ctor numpy.random._pickle.__bit_generator_ctor
        transformers.trainer_utils.IntervalStrategy transformers.trainer_utils.EvaluationStrategy transformers.trainer_utils.SchedulerType
        transformers.trainer_utils.SaveStrategy transformers.trainer_utils.HubStrategy transformers.trainer_utils.FSDPOption
        transformers.training_args.OptimizerNames transformers.training_args.ParallelMode transformers.debug_utils.DebugOption
        accelerate.utils.dataclasses.DistributedType accelerate.utils.dataclasses.DynamoBackend accelerate.utils.dataclasses.PrecisionType
        accelerate.utils.dataclasses.SageMakerDistributedType accelerate.utils.dataclasses.ComputeEnvironment
        openai.openai_object.OpenAIObject trl.trainer.utils.FDivergenceType trl.trainer.dpo_config.FDivergenceType
        """);

    private static readonly string[] KnownPrefixes =
    [
        "sklearn.", "scipy.sparse.", "xgboost.", "lightgbm.", "numpy.random._pickle.", "numpy.random._mt19937.", "numpy.random.mtrand.RandomState",
        "_loss.__pyx_unpickle_Cy", "_loss.Cy", "torch.nn.modules.", "torch.optim.", "transformers.training_args.", "transformers.trainer_utils.",
        "transformers.trainer_pt_utils.", "openai.openai_object.OpenAIObject", "requests.models.", "requests.structures.", "requests.cookies.", "http.cookiejar.DefaultCookiePolicy", "joblib.numpy_pickle.NumpyArrayWrapper",
        "accelerate.utils.dataclasses.", "accelerate.state.", "trl.trainer.", "peft.utils.peft_types.",
        "peft.tuners.lora.config.", "pandas.core.", "pandas._libs.internals._unpickle_block",
    ];

    // Whole modules with no business in weights. A submodule is in with its parent.
    private static readonly FrozenSet<string> DangerousModules = Set("""
        os posix nt posixpath ntpath subprocess _posixsubprocess pty commands popen2 platform sys runpy importlib _frozen_importlib
        _frozen_importlib_external imp pkgutil zipimport pickle _pickle cPickle marshal shelve dill cloudpickle joblib jsonpickle yaml ctypes
        _ctypes cffi socket _socket ssl shutil webbrowser antigravity tempfile glob io _io fileinput linecache tarfile zipfile dbm sqlite3 urllib
        http.client http.server smtplib ftplib telnetlib poplib imaplib nntplib xmlrpc asyncio multiprocessing threading _thread concurrent signal
        code codeop timeit profile cProfile trace pdb bdb cgitb doctest idlelib lib2to3 logging.config site sitecustomize sysconfig ensurepip pip
        venv distutils setuptools _distutils_hack pkg_resources pydoc mailcap pipes inspect gc ast dis types _xxsubinterpreters _interpreters
        test tkinter turtle IPython nose six click sh pexpect plumbum invoke fabric paramiko botocore aiohttp httpx unittest
        picklescan fickling modelscan modelaudit torch.hub torch.jit torch.package torch._dynamo torch._inductor torch.fx torch.utils torch.distributed
        torch.serialization numpy.f2py numpy.testing numpy.distutils numpy.ctypeslib mlflow huggingface_hub transformers.dynamic_module_utils
        typing dataclasses _osx_support _aix_support atexit weakref faulthandler resource pwd crypt mmap builtins.__dict__ tracemalloc
        """);

    private static readonly FrozenSet<string> DangerousNames = Set("""
        builtins.eval builtins.exec builtins.compile builtins.__import__ builtins.getattr builtins.setattr builtins.delattr builtins.hasattr
        builtins.open builtins.breakpoint builtins.input builtins.globals builtins.locals builtins.vars builtins.type builtins.map builtins.filter
        builtins.apply builtins.execfile builtins.file builtins.reload builtins.memoryview builtins.super builtins.property builtins.__build_class__
        builtins.str.format builtins.str.format_map builtins.print builtins.help builtins.exit builtins.quit operator.attrgetter operator.methodcaller operator.itemgetter operator.call
        operator.setitem operator.delitem _operator.attrgetter _operator.methodcaller _operator.itemgetter _operator.call _operator.setitem
        functools.partial functools.reduce functools.partialmethod functools.singledispatch functools.cached_property _functools.partial
        _functools.reduce itertools.starmap itertools.accumulate string.Formatter copyreg.add_extension copyreg.remove_extension
        copyreg.dispatch_table copyreg._extension_registry copyreg._inverted_registry copyreg.pickle torch.load torch.save torch.compile
        torch.storage._load_from_bytes torch.ops torch.classes torch.__dict__ numpy.load numpy.save numpy.memmap numpy.fromfile numpy.loadtxt
        numpy.genfromtxt numpy.lib.npyio.load numpy.vectorize numpy.fromfunction numpy.apply_along_axis pandas.eval pandas.read_pickle
        pandas.io.pickle.read_pickle pandas.core.computation.eval.eval pathlib.Path uuid._get_command_stdout logging.FileHandler
        collections.namedtuple collections._eval sklearn.utils._joblib sklearn.externals.joblib.load torch._utils._import_dotted_name
        random._os random.SystemRandom codecs.open _codecs.lookup
        """);

    /// <summary>The trust in <paramref name="module"/>.<paramref name="name"/> as a loader would resolve it, dotted parts included.</summary>
    public static NameTrust Classify(string module, string name)
    {
        var full = $"{module}.{name}";
        if (Allowed.Contains(full))
        {
            return NameTrust.Allowed;
        }

        if (IsKnown(full, name))
        {
            return NameTrust.Known;
        }

        if (IsDangerous(full) || name.Contains("__", StringComparison.Ordinal) && name.Contains('.', StringComparison.Ordinal))
        {
            return NameTrust.Dangerous;
        }

        // A dotted name walks from any module into what that module imported: judge each tail as a name of its own.
        for (var dot = name.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = name.IndexOf('.', dot + 1))
        {
            if (IsDangerous(name[(dot + 1)..]))
            {
                return NameTrust.Dangerous;
            }
        }

        if (name.Contains('.', StringComparison.Ordinal))
        {
            return IsDangerous(name) ? NameTrust.Dangerous : NameTrust.Unlisted;
        }

        return NameTrust.Unlisted;
    }

    private static bool IsKnown(string full, string name) =>
        !name.Contains('.', StringComparison.Ordinal) && !DangerousNames.Contains(full) && Array.Exists(KnownPrefixes, p => full.StartsWith(p, StringComparison.Ordinal)) && IsClassLike(name);

    private static bool IsDangerous(string full)
    {
        if (DangerousNames.Contains(full) || DangerousModules.Contains(full))
        {
            return true;
        }

        for (var dot = full.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = full.IndexOf('.', dot + 1))
        {
            if (DangerousModules.Contains(full[..dot]) || DangerousNames.Contains(full[..dot]))
            {
                return true;
            }
        }

        return false;
    }

    // Functions of known libraries can read files and evaluate text; their classes and the unpickling constructors cannot be reached that way.
    private static bool IsClassLike(string name) =>
        name.Length > 0 && (char.IsAsciiLetterUpper(name[0]) || name.StartsWith("__pyx_unpickle_", StringComparison.Ordinal)
            || name is "__randomstate_ctor" or "__bit_generator_ctor" or "__generator_ctor" or "_new_Index" or "new_block" or "_unpickle_block");

    private static FrozenSet<string> Set(string words) =>
        words.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToFrozenSet(StringComparer.Ordinal);
}
