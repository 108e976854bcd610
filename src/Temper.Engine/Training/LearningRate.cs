using Temper.Core;

namespace Temper.Engine.Training;

/// <summary>The rate of every step: a linear rise over the warm-up, then the plan's schedule.</summary>
public static class LearningRate
{
    public static double At(TuningPlan plan, int step)
    {
        var warmup = (int)Math.Ceiling(plan.Warmup * plan.Steps);
        if (step < warmup)
        {
            return plan.LearningRate * (step + 1) / warmup;
        }

        var progress = (double)(step - warmup) / Math.Max(1, plan.Steps - warmup);
        return plan.LearningRate * plan.Schedule switch
        {
            RateSchedule.Linear => 1 - progress,
            RateSchedule.Cosine => 0.5 * (1 + Math.Cos(Math.PI * progress)),
            _ => 1,
        };
    }
}
