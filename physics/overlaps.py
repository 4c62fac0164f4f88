"""Which material a ray runs through where shapes overlap: scalar functions that loop nests inline.

`sweep` knows every crossing of a ray beforehand, as the CPU nests do. In a layered scene it takes the shapes from the
topmost down and keeps the union of what they cover as sorted intervals: a shape shows only where nothing covers it yet,
one inside the union costs one look-up, and no stretch is asked for twice. `visit` needs no memory at all: it asks every
shape about one stretch after another, for codes that add up and for GPU threads, which compute crossings anew.
"""

from phantomsim.physics.kernel import scalar


@scalar
def visit(enter, leave, code, t, state, end, additive):  # type: ignore[no-untyped-def]
    """Add one shape to what is known of the stretch that begins at `t`.

    Returns
    -------
        The state of the shapes that cover the stretch (see `phantomsim.physics.shapes.ShapeTable`), and where the
        stretch ends at the latest.
    """
    if enter <= t:
        if t < leave:
            return (state + code if additive else max(state, code)), min(end, leave)
    elif enter < leave:
        end = min(end, enter)
    return state, end


@scalar
def _from_the_top(enter, leave, codes, near, n_near, ray, first, last, covered, stretches, states):  # type: ignore[no-untyped-def]
    # covered holds where each of n covered intervals begins and ends: sorted, and none touches the next
    begins, ends = covered[0], covered[1]
    n, found = 0, 0
    for k in range(n_near - 1, -1, -1):
        a, b = max(enter[k, ray], first), min(leave[k, ray], last)
        if not a < b:
            continue
        low = 0
        while low < n and ends[low] < a:  # a search by halves is slower: intervals merge, and few are left
            low += 1
        if low < n and begins[low] <= a and b <= ends[low]:
            continue
        t, after = a, low
        while after < n and begins[after] <= b:
            if t < begins[after]:
                stretches[0, found], stretches[1, found], states[found] = t, begins[after], codes[near[k]]
                found += 1
            t = max(t, ends[after])
            after += 1
        if t < b:
            stretches[0, found], stretches[1, found], states[found] = t, b, codes[near[k]]
            found += 1
        if after == low:  # a new interval
            for i in range(n, low, -1):
                begins[i], ends[i] = begins[i - 1], ends[i - 1]
            begins[low], ends[low] = a, b
            n += 1
        else:  # intervals `low` to `after` become one
            begins[low], ends[low] = min(begins[low], a), max(t, b)
            merged = after - low - 1
            if merged > 0:
                for i in range(after, n):
                    begins[i - merged], ends[i - merged] = begins[i], ends[i]
                n -= merged
        if n == 1 and begins[0] <= first and ends[0] >= last:
            break
    t = first
    for i in range(n):
        if t < begins[i]:
            stretches[0, found], stretches[1, found], states[found] = t, begins[i], -1
            found += 1
        t = ends[i]
    if t < last:
        stretches[0, found], stretches[1, found], states[found] = t, last, -1
        found += 1
    return found


@scalar
def _one_after_another(enter, leave, codes, near, n_near, ray, first, last, stretches, states):  # type: ignore[no-untyped-def]
    t, found = first, 0
    while t < last:
        state, until = 0, last
        for k in range(n_near):
            state, until = visit(enter[k, ray], leave[k, ray], codes[near[k]], t, state, until, True)
        stretches[0, found], stretches[1, found], states[found] = t, until, state
        found += 1
        t = until
    return found


@scalar
def sweep(enter, leave, codes, near, n_near, ray, length, additive, covered, stretches, states):  # type: ignore[no-untyped-def]
    """Cut a ray from 0 to `length` into stretches of one state each, in any order.

    Parameters
    ----------
    enter, leave
        Where rays cross the shapes that may matter (near, ray) [m].
    codes, near, n_near
        Code of each shape of the table, which of them the crossings are of, from the lowest to the topmost, and how
        many these are.
    ray
        Which ray.
    additive
        Whether codes add up.
    covered
        Room for (2, near + 1) numbers.
    stretches, states
        Beginning and end (2, 2 · near + 1) [m] and state (2 · near + 1) of each stretch, written here.

    Returns
    -------
        The number of stretches.
    """
    if additive:
        return _one_after_another(enter, leave, codes, near, n_near, ray, 0.0, length, stretches, states)
    return _from_the_top(enter, leave, codes, near, n_near, ray, 0.0, length, covered, stretches, states)
