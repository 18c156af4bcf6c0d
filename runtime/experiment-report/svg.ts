import * as echarts from 'echarts';
import type { EChartsOption } from 'echarts';

const WIDTH = 900;
const HEIGHT = 380;

/** Draws a plot as SVG, without a browser. */
export function renderSvg(option: EChartsOption): string {
  const chart = echarts.init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: WIDTH,
    height: HEIGHT,
  });
  try {
    chart.setOption(option);
    return chart.renderToSVGString();
  } finally {
    // Otherwise its timers keep the process alive.
    chart.dispose();
  }
}
