import { createApp } from 'flowgate';

const app = createApp();
app
  .flow('damage')
  .init((c) => c.screen('PHOTOS'))
  .on('PHOTOS', async (c) => {
    for (const photo of c.media('photos')) {
      const { mimeType, sizeBytes } = await photo.download(c.signal);
      if (!mimeType.startsWith('image/')) return c.error('Only photos, please.');
      c.log.info({ mimeType, sizeBytes }, 'a photo came in');
    }
    return c.complete();
  });
export default app;
