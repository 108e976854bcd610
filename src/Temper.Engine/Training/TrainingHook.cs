using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>What to do after a step; if hooks disagree, rolling back and stopping are both done.</summary>
public enum StepAction { Continue, Stop, RollBack }

/// <summary>
/// A technique inside the training loop. Hooks run in the order given. Every call has a scope of its own: keep what you need with
/// DetachFromDisposeScope and free it in Dispose. Gradients are recorded in the two loss calls only; elsewhere use <see cref="Gradients"/>.
/// </summary>
public abstract class TrainingHook : IDisposable
{
    /// <summary>How messages name the hook.</summary>
    public virtual string Name => GetType().Name;

    /// <summary>Whether <see cref="ReplaceLoss"/> takes the place of the plain loss; one hook at most may.</summary>
    public virtual bool ReplacesLoss => false;

    /// <summary>What the hook noticed so far, in the order of the steps.</summary>
    public virtual IReadOnlyList<TrainingEvent> Events => [];

    /// <summary>Live fp32 tensors, of fixed shape from the end of <see cref="OnStart"/> on, that a checkpoint must hold for an exact resume.</summary>
    public virtual IReadOnlyDictionary<string, Tensor> State => new Dictionary<string, Tensor>(StringComparer.Ordinal);

    public virtual void OnStart(TrainingStart arguments)
    {
    }

    /// <summary>Another batch than the planned one, or null; the first hook that returns one decides.</summary>
    public virtual Batch? ChooseBatch(BatchChoice arguments) => null;

    /// <summary>The scalar to descend, or null for the plain loss in this step.</summary>
    public virtual Tensor? ReplaceLoss(LossArguments arguments) => null;

    /// <summary>A scalar added to the loss, or null.</summary>
    public virtual Tensor? AddLoss(LossArguments arguments) => null;

    /// <summary>May change the gradients, before they are clipped.</summary>
    public virtual void OnGradients(GradientArguments arguments)
    {
    }

    public virtual StepAction AfterStep(StepArguments arguments) => StepAction.Continue;

    /// <summary>Only after a training that did not fail.</summary>
    public virtual void OnEnd(TrainingEnd arguments)
    {
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }
}
