package org.fedlora4j.federation.aggregate;

import java.util.List;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.RealMatrix;
import org.apache.commons.math3.linear.SingularValueDecomposition;
import org.fedlora4j.lora.LoraPair;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;

/**
 * Averages what adapters add to a weight, and not A and B by themselves, as FlexLoRA does (arXiv 2402.11505):
 *
 * <pre>
 *   sum_k w_k B_k A_k = U S Vᵀ      B = U S, A = Vᵀ, both of the largest r singular values
 * </pre>
 *
 * which is the best approximation of rank r, and its first components are the best of any lower rank. The product [out,
 * in] is never made: with {@code B_k = Q X_k} and {@code A_kᵀ = P Y_k}, Q and P orthonormal, it is the small core
 * {@code sum_k w_k X_k Y_kᵀ} that is decomposed. All in double; a left vector's largest element is positive, so that the
 * same updates give the same bits.
 */
public final class ProductSvd {
    private ProductSvd() {}

    /**
     * The mean product as a pair of current's rank. Where the product has a lower rank than that, the other columns of B
     * are zero. Their rows of A are what of current's rows is orthogonal to the rows before, of unit length as these are:
     * a zero row too would never be trained again. Where the product is zero, as before training, current stays.
     *
     * @param current the server's pair, before this round
     * @param as the clients' A, of current's shape, in client-id order
     * @param bs their B, likewise
     */
    public static LoraPair mean(LoraPair current, List<Contribution> as, List<Contribution> bs) {
        double[] weights = shares(as);
        int components = as.size() * current.rank();
        double[][] lefts = new double[components][];
        double[][] rights = new double[components][];
        OrthonormalBasis left = new OrthonormalBasis();
        OrthonormalBasis right = new OrthonormalBasis();
        double scale = 0;
        for (int n = 0; n < components; n++) {
            int client = n / current.rank();
            double[] b = Vectors.get(bs.get(client).value(), n % current.rank(), MagnitudeAxis.COLUMN);
            double[] a = Vectors.get(as.get(client).value(), n % current.rank(), MagnitudeAxis.ROW);
            lefts[n] = left.add(Vectors.scaled(b, weights[client]));
            rights[n] = right.add(a);
            scale += weights[client] * Vectors.norm(b) * Vectors.norm(a);
        }
        if (scale == 0) {
            return current;
        }
        SingularValueDecomposition core =
                new SingularValueDecomposition(core(lefts, rights, left.size(), right.size()));
        return pair(current, left, core, right, OrthonormalBasis.NEGLIGIBLE * scale);
    }

    /** The weights divided by their sum. */
    private static double[] shares(List<Contribution> contributions) {
        double sum = contributions.stream().mapToDouble(Contribution::weight).sum();
        return contributions.stream()
                .mapToDouble(contribution -> contribution.weight() / sum)
                .toArray();
    }

    /** {@code sum_n x_n y_nᵀ}, [rows, columns]; vectors may be shorter, what they lack is zero. */
    private static RealMatrix core(double[][] lefts, double[][] rights, int rows, int columns) {
        double[][] sum = new double[rows][columns];
        for (int n = 0; n < lefts.length; n++) {
            for (int i = 0; i < lefts[n].length; i++) {
                for (int j = 0; j < rights[n].length; j++) {
                    sum[i][j] += lefts[n][i] * rights[n][j];
                }
            }
        }
        return new Array2DRowRealMatrix(sum, false);
    }

    /** @param negligible singular values up to this are rounding */
    private static LoraPair pair(
            LoraPair current,
            OrthonormalBasis left,
            SingularValueDecomposition core,
            OrthonormalBasis right,
            double negligible) {
        double[] singular = core.getSingularValues();
        Matrix a = Matrix.zeros(current.rank(), current.in());
        Matrix b = Matrix.zeros(current.out(), current.rank());
        OrthonormalBasis rows = new OrthonormalBasis();
        int rank = 0;
        while (rank < Math.min(current.rank(), singular.length) && singular[rank] > negligible) {
            double[] u = left.combination(core.getU().getColumn(rank));
            double[] v = right.combination(core.getV().getColumn(rank));
            double sign = signOfLargest(u);
            Vectors.set(b, rank, Vectors.scaled(u, sign * singular[rank]), MagnitudeAxis.COLUMN);
            Vectors.set(a, rank, Vectors.scaled(v, sign), MagnitudeAxis.ROW);
            rows.add(v);
            rank++;
        }
        if (rank == 0) {
            return current;
        }
        for (int row = rank; row < current.rank(); row++) {
            Vectors.set(a, row, unused(current.a(), row, rows), MagnitudeAxis.ROW);
        }
        return new LoraPair(a, b);
    }

    private static double signOfLargest(double[] vector) {
        double largest = 0;
        for (double value : vector) {
            if (Math.abs(value) > Math.abs(largest)) {
                largest = value;
            }
        }
        return Math.signum(largest);
    }

    /**
     * A unit vector orthogonal to the basis, which it then belongs to: what is left of that row of A of which most is.
     * Where nothing is left of any, A's own row, which can still be trained.
     */
    private static double[] unused(Matrix a, int row, OrthonormalBasis basis) {
        double[] most = new double[a.columns()];
        for (int n = 0; n < a.rows(); n++) {
            double[] candidate = Vectors.get(a, n, MagnitudeAxis.ROW);
            double[] rest = basis.rest(candidate);
            if (Vectors.norm(rest)
                    > Math.max(Vectors.norm(most), OrthonormalBasis.NEGLIGIBLE * Vectors.norm(candidate))) {
                most = rest;
            }
        }
        double length = Vectors.norm(most);
        if (length == 0) {
            return Vectors.get(a, row, MagnitudeAxis.ROW);
        }
        basis.add(most);
        return Vectors.scaled(most, 1 / length);
    }
}
