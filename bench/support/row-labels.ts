/** Row labels that the charts look for. */
export const FLOWGATE = 'Flowgate';
export const CAPACITY_ROW = 'capacity, closed loop';
